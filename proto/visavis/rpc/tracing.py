"""Work goes in, OpenTelemetry spans of it come out; with no collector named, nothing is even loaded.

Spans hold kinds, counts and names, never a message's text, a key or audio.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, TypeAlias

from visavis.rpc.failures import Failure
from visavis.rpc.telemetry import TRACEPARENT

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

# OpenTelemetry's own name: https://opentelemetry.io/docs/specs/otel/protocol/exporter/
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"
Kind: TypeAlias = Literal["internal", "server", "client"]
Attribute: TypeAlias = str | int | float | bool
_CANCELLED = (asyncio.CancelledError, GeneratorExit)

_tracers: list[Tracer] = []


def configure_traces(service: str) -> None:
    """Sends this process's spans by OTLP over gRPC where OTEL_EXPORTER_OTLP_ENDPOINT is set."""
    if not os.environ.get(ENDPOINT):
        return
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    # What is left is sent when the process exits.
    provider = TracerProvider(resource=Resource.create({"service.name": service}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracers[:] = [provider.get_tracer("visavis")]


@contextmanager
def span(name: str, traceparent: str, kind: Kind = "internal", **attributes: Attribute) -> Iterator[str]:
    """A span for as long as the block runs; yields the W3C header value for what is done inside.

    Args:
        name: what is done, one of few.
        traceparent: the parent's header value; empty starts a trace.
        kind: server where a call is answered, client where one is made.
        attributes: counts and names.
    """
    if not _tracers:
        yield traceparent
        return
    opened, child = _started(_tracers[0], name, traceparent, kind, attributes)
    try:
        yield child
    except BaseException as error:
        _mark(opened, error)
        raise
    finally:
        opened.end()


def _started(
    tracer: Tracer, name: str, traceparent: str, kind: Kind, attributes: dict[str, Attribute]
) -> tuple[Span, str]:
    from opentelemetry.context import Context
    from opentelemetry.trace import SpanKind, set_span_in_context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    # The context is passed by hand: one that is attached leaks out of generators that are closed elsewhere.
    parent = propagator.extract({TRACEPARENT: traceparent}, context=Context())
    opened = tracer.start_span(name, context=parent, kind=SpanKind[kind.upper()], attributes=attributes)
    carrier: dict[str, str] = {}
    propagator.inject(carrier, context=set_span_in_context(opened, Context()))
    return opened, carrier.get(TRACEPARENT, traceparent)


def _mark(opened: Span, error: BaseException) -> None:
    from opentelemetry.trace import StatusCode

    if isinstance(error, _CANCELLED):
        opened.set_attribute("visavis.cancelled", value=True)
        return
    # An exception's own text may quote what a user wrote.
    kind = error.type.value if isinstance(error, Failure) else type(error).__name__
    opened.set_attribute("error.type", kind)
    opened.set_status(StatusCode.ERROR, kind)
