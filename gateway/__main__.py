"""The environment goes in, the gateway process comes out: `python -m gateway`."""

from __future__ import annotations

import asyncio

import structlog
from visavis.rpc.settings import read_settings
from visavis.rpc.telemetry import configure_logs, serve_metrics
from visavis.rpc.tracing import configure_traces

from gateway.http.app import gateway_app
from gateway.http.serving import DrainingServer
from gateway.media.places import PlaceUnusable, check_place
from gateway.pauses import collect_seldom
from gateway.settings import GatewaySettings
from gateway.valkey.connection import ValkeyUnreachable, check_answers


def main() -> None:
    """Serves until SIGTERM or SIGINT, then drains."""
    settings = read_settings(GatewaySettings)
    configure_logs("gateway", level=settings.log_level, as_json=settings.log_json)
    configure_traces("Gateway")
    serve_metrics(settings.metrics_port)
    try:
        check_place(settings.data)
        if url := settings.valkey_url.get_secret_value():
            asyncio.run(check_answers(url, settings.patience_seconds))
    except (PlaceUnusable, ValkeyUnreachable) as error:
        raise SystemExit(f"Cannot start: {error}") from None
    structlog.get_logger().info("listening", host=settings.host, port=settings.port)
    server = DrainingServer(gateway_app(settings), settings)
    collect_seldom()
    asyncio.run(server.serve())


if __name__ == "__main__":
    main()
