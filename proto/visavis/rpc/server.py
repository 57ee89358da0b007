"""A servicer goes in, a served process comes out: health, reflection, bounds, TLS, drain on SIGTERM."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1.health import aio as health_aio
from grpc_reflection.v1alpha import reflection

from visavis.rpc.interceptors import FailureInterceptor, ReadinessInterceptor
from visavis.rpc.settings import ServiceSettings, TlsSettings
from visavis.rpc.telemetry import configure_logs, serve_metrics
from visavis.rpc.tracing import configure_traces

log = structlog.get_logger()

# Below gRPC's own 4 MiB: a message that does not fit is a bug of the sender, found early.
MAX_MESSAGE_BYTES = 1 << 20
_OPTIONS: tuple[tuple[str, int], ...] = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
    ("grpc.max_connection_age_grace_ms", 600_000),
    ("grpc.so_reuseport", 0),
)


@dataclass(frozen=True, slots=True)
class Service:
    """What a process serves.

    `full_name` is the protobuf service's name, `register` adds the servicer to a server, `prepare` loads and
    warms what the servicer needs: until it returns, health says NOT_SERVING and calls are refused with
    UNAVAILABLE; `close` frees it.
    """

    full_name: str
    register: Callable[[grpc.aio.Server], None]
    prepare: Callable[[], Awaitable[None]]
    close: Callable[[], Awaitable[None]]


@asynccontextmanager
async def running(service: Service, settings: ServiceSettings) -> AsyncIterator[str]:
    """Serves until the block ends; yields the address (host:port) once the service is ready.

    Leaving the block drains: health turns NOT_SERVING, no new calls are taken, running ones have
    `drain_seconds`.
    """
    readiness = ReadinessInterceptor()
    server = grpc.aio.server(
        interceptors=(readiness, FailureInterceptor(settings.max_calls)),
        options=(*_OPTIONS, ("grpc.max_connection_age_ms", int(settings.connection_seconds * 1000))),
    )
    health = health_aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health, server)
    names: Sequence[str] = (service.full_name, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
    reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
    service.register(server)
    await _say(health, service.full_name, serving=False)
    address = _bind(server, settings)
    await server.start()
    try:
        await service.prepare()
        readiness.ready = True
        await _say(health, service.full_name, serving=True)
        yield address
    finally:
        await _say(health, service.full_name, serving=False)
        await server.stop(settings.drain_seconds)
        await service.close()


async def serve(service: Service, settings: ServiceSettings) -> None:
    """Runs the process's one service until SIGTERM or SIGINT, then drains."""
    name = service.full_name.rsplit(".", 1)[-1]
    configure_logs(name, level=settings.log_level, as_json=settings.log_json)
    configure_traces(name)
    serve_metrics(settings.metrics_port)
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    async with running(service, settings) as address:
        log.info("serving", address=address)
        await stopping.wait()
        log.info("draining", seconds=settings.drain_seconds)


async def _say(health: health_aio.HealthServicer, full_name: str, *, serving: bool) -> None:
    response = health_pb2.HealthCheckResponse
    for name in (full_name, ""):
        await health.set(name, response.SERVING if serving else response.NOT_SERVING)


def _bind(server: grpc.aio.Server, settings: ServiceSettings) -> str:
    credentials = server_credentials(settings)
    try:
        port = (
            server.add_insecure_port(settings.listen)
            if credentials is None
            else server.add_secure_port(settings.listen, credentials)
        )
    except RuntimeError:
        raise SystemExit(f"Cannot listen on {settings.listen}: the address is taken or not ours.") from None
    return f"{settings.listen.rsplit(':', 1)[0]}:{port}"


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """TLS, mutual where a CA is set; None means plain text."""
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return grpc.ssl_server_credentials(
        [(settings.tls_key.read_bytes(), settings.tls_certificate.read_bytes())],
        root_certificates=settings.tls_ca.read_bytes() if settings.tls_ca else None,
        require_client_auth=settings.tls_ca is not None,
    )
