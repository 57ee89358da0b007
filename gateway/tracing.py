"""A request's trace context goes in, the trace of everything done for it comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar

import structlog
from visavis.rpc.telemetry import new_traceparent, trace_id_of
from visavis.rpc.tracing import span

_traceparent: ContextVar[str] = ContextVar("traceparent", default="")


@contextmanager
def entered_trace(traceparent: str, method: str, path: str) -> Iterator[None]:
    """Makes the header's trace the current one, a new one where it is malformed or empty."""
    known = traceparent if trace_id_of(traceparent) else ""
    # Probes and the page's own files are asked for all the time.
    worth_a_span = path.startswith("/v1/")
    with span(method, known, "server", path=path) if worth_a_span else nullcontext(known) as opened:
        current = opened or new_traceparent()
        _traceparent.set(current)
        structlog.contextvars.bind_contextvars(trace_id=trace_id_of(current))
        yield


def current_traceparent() -> str:
    """The W3C header value to hand on; empty outside a request."""
    return _traceparent.get()


def current_trace_id() -> str:
    """32 hex digits; empty outside a request."""
    return trace_id_of(_traceparent.get())
