"""One reply is one trace through all four processes, with a span for each utterance at each stage."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.e2e.stack import Stack
from tests.fakes.otlp_collector import Collector, Span, collecting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

SERVICES = {"Gateway", "TextService", "TtsService", "LipsyncService"}


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="module")
def traced(collector: Collector, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
    stack = Stack(tmp_path_factory.mktemp("traced"), **settings)
    try:
        stack.start_all()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="module")
def spans(traced: Stack, collector: Collector) -> list[Span]:
    """The trace of a reply with two utterances."""
    said = "The moon is bright tonight. It is a very clear night, and the stars are out as well."
    with httpx.Client(base_url=traced.url, timeout=90) as client:
        answer = client.post("/v1/replies", json={"say": said}, headers={"Prefer": "wait=80"})
    assert answer.status_code == 200, answer.text
    return collector.trace(answer.headers["x-trace-id"], len(SERVICES))


def parent_of(span: Span, spans: list[Span]) -> Span:
    return next(other for other in spans if other.span_id == span.parent_id)


def test_a_reply_is_one_trace_through_all_processes(spans: list[Span]) -> None:
    assert {span.service for span in spans} == SERVICES
    assert [span.name for span in spans if not span.parent_id] == ["POST"]
    for stage, method in (("text", "StreamReply"), ("speech", "Speak"), ("video", "Animate")):
        answers = [span for span in spans if span.name == method]
        assert answers
        for answer in answers:
            call = parent_of(answer, spans)
            assert (call.service, call.name) == ("Gateway", stage)
            assert parent_of(call, spans).name == "reply"


def test_each_utterance_has_its_span(spans: list[Span]) -> None:
    rendered = [s.attributes["utterance"] for s in spans if s.name == "video" and not s.failed]
    # The closing rest is rendered too.
    assert rendered == list(range(len(rendered)))
    assert len([span for span in spans if span.name == "speech"]) == len(rendered) - 1 >= 2


def test_a_callers_own_trace_goes_on(traced: Stack, collector: Collector) -> None:
    trace_id, span_id = "a" * 32, "b" * 16
    with httpx.Client(base_url=traced.url, timeout=90) as client:
        client.post(
            "/v1/replies",
            json={"say": "Hello there."},
            headers={"Prefer": "wait=80", "traceparent": f"00-{trace_id}-{span_id}-01"},
        )
    spans = collector.trace(trace_id, len(SERVICES), caller=span_id)
    assert {span.service for span in spans} == SERVICES


def test_spans_hold_no_text(spans: list[Span]) -> None:
    for span in spans:
        assert "moon" not in str(span.attributes)
