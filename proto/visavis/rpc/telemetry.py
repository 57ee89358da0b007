"""What a process does goes in, JSON log lines with trace ids and Prometheus metrics come out.

Message texts, keys and audio never go in.
"""

from __future__ import annotations

import logging
import re
import secrets
import sys
from collections.abc import Iterable

import structlog
from prometheus_client import Counter, Histogram, start_http_server

TRACEPARENT = "traceparent"
# https://www.w3.org/TR/trace-context/#traceparent-header-field-values. Clients send it, and it goes on to
# headers, logs and gRPC's metadata: nothing else may be in it.
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

RPCS = Counter("visavis_rpcs_total", "Calls answered, by method and outcome", ["method", "code"])
RPC_SECONDS = Histogram(
    "visavis_rpc_seconds",
    "Seconds from a call's start to its status",
    ["method"],
    # The longest is a text stream whose reader waits for its video.
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 600),
)


def configure_logs(service: str, *, level: str = "info", as_json: bool = True) -> None:
    """Log lines go to standard error, one per line; `as_json=False` is for people at a terminal."""
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.bind_contextvars(service=service)


def serve_metrics(port: int) -> None:
    """Prometheus text format on a port of its own; 0 switches it off. Raises SystemExit for a taken one."""
    if not port:
        return
    try:
        start_http_server(port)
    except OSError as error:
        raise SystemExit(f"Cannot serve metrics on port {port}: {error.strerror}.") from None


def new_traceparent() -> str:
    """A fresh W3C trace context header value (https://www.w3.org/TR/trace-context/)."""
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def trace_id_of(traceparent: str) -> str:
    """The 32 hex digits that name the trace; empty where the header is malformed."""
    match = _TRACEPARENT.fullmatch(traceparent)
    return "" if match is None else match[1]


def traceparent_of(metadata: Iterable[tuple[str, str | bytes]] | None) -> str:
    """The header value in a call's metadata; empty where there is none."""
    return next((str(value) for key, value in metadata or () if key == TRACEPARENT), "")


def bind_trace(traceparent: str) -> None:
    """Ties the log lines of the current task to the trace."""
    structlog.contextvars.bind_contextvars(trace_id=trace_id_of(traceparent))
