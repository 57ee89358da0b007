"""A request's trace context goes in, the trace id of everything done for it comes out."""

from __future__ import annotations

from contextvars import ContextVar

import structlog
from visavis.rpc.telemetry import new_traceparent, trace_id_of

_traceparent: ContextVar[str] = ContextVar("traceparent", default="")


def enter_trace(traceparent: str) -> str:
    """Makes the header's trace the current one, a new one where it is malformed or empty; its id."""
    if not trace_id_of(traceparent):
        traceparent = new_traceparent()
    _traceparent.set(traceparent)
    trace_id = trace_id_of(traceparent)
    structlog.contextvars.bind_contextvars(trace_id=trace_id)
    return trace_id


def current_traceparent() -> str:
    """The W3C header value to hand on; empty outside a request."""
    return _traceparent.get()


def current_trace_id() -> str:
    """32 hex digits; empty outside a request."""
    return trace_id_of(_traceparent.get())
