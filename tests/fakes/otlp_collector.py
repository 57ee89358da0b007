"""Spans come in by OTLP as from any process, finished traces come out: a collector that keeps everything."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc


@dataclass(frozen=True)
class Span:
    """One span as it was sent; times in seconds since the epoch."""

    service: str
    name: str
    trace_id: str
    span_id: str
    parent_id: str
    start: float
    end: float
    attributes: dict[str, Any]
    failed: bool


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    """Keeps every span it is sent."""

    def __init__(self) -> None:
        self.endpoint = ""
        self._spans: list[Span] = []
        self._grown = Condition()

    def Export(self, request: Any, context: Any) -> Any:
        """OTLP's one method."""
        with self._grown:
            for resource in request.resource_spans:
                names = {pair.key: pair.value.string_value for pair in resource.resource.attributes}
                for scope in resource.scope_spans:
                    self._spans += [_span(names["service.name"], span) for span in scope.spans]
            self._grown.notify_all()
        return trace_service_pb2.ExportTraceServiceResponse()

    def trace(self, trace_id: str, services: int, caller: str = "", seconds: float = 60) -> list[Span]:
        """The trace's spans in the order of their starts, once all below `caller`'s span are there."""

        def known() -> list[Span]:
            return [span for span in self._spans if span.trace_id == trace_id]

        def complete() -> bool:
            ids = {caller, *(span.span_id for span in known())}
            connected = all(span.parent_id in ids for span in known())
            return connected and len({span.service for span in known()}) >= services

        with self._grown:
            assert self._grown.wait_for(complete, seconds), known()
            return sorted(known(), key=lambda span: span.start)


def drawn(spans: list[Span]) -> str:
    """The trace as text: one line per span, below what it is part of, in milliseconds from its start."""
    begin = min(span.start for span in spans)

    def lines(parent_id: str, depth: int) -> Iterator[str]:
        for span in spans:
            if span.parent_id == parent_id:
                label = f"{'  ' * depth}{span.name}"
                times = f"{(span.start - begin) * 1000:7.0f} to {(span.end - begin) * 1000:5.0f} ms"
                notes = " ".join(
                    f"{key}={value}" for key, value in span.attributes.items() if key not in ("reply", "path")
                )
                yield f"{label:22}{span.service:16}{times}  {notes}".rstrip()
                yield from lines(span.span_id, depth + 1)

    return "\n".join(lines("", 0))


@contextmanager
def collecting() -> Iterator[Collector]:
    """Serves on a free port until the block ends."""
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(2))
    add: Any = trace_service_pb2_grpc.add_TraceServiceServicer_to_server
    add(collector, server)
    collector.endpoint = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(None)


def _span(service: str, span: Any) -> Span:
    return Span(
        service=service,
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        start=span.start_time_unix_nano / 1e9,
        end=span.end_time_unix_nano / 1e9,
        attributes={
            pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in span.attributes
        },
        failed=span.status.code == span.status.STATUS_CODE_ERROR,
    )
