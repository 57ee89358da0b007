"""The client against a server that cuts lines, splits characters, repeats events and refuses."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from visavis_client import (
    AsyncClient,
    Client,
    Event,
    Patience,
    Problem,
    TextDelta,
    Unreachable,
    VisavisError,
)

from tests.fakes.scripted_http import Answer, ScriptedHttp, scripted_http, sse
from tests.fakes.scripted_replies import ACCEPTED, CREATED, done

HURRIED = Patience(attempts=3, first_seconds=0.0, longest_seconds=0.0)
MOON = sse(2, "text_delta", delta="月亮 🌙")
DONE = done(3)
WHOLE = Answer([ACCEPTED, MOON, DONE])

Serve = Callable[..., Awaitable[ScriptedHttp]]
# Both clients, seen the same way: what they make of a server that speaks the contract.
Follow = Callable[[ScriptedHttp], Awaitable[list[Event]]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(*answers: Answer) -> ScriptedHttp:
            return await stack.enter_async_context(scripted_http(*answers))

        yield start


async def follow_async(server: ScriptedHttp) -> list[Event]:
    async with AsyncClient(server.url, patience=HURRIED) as client:
        reply = await client.reply(say="月亮")
        return [event async for event in reply]


async def follow_blocking(server: ScriptedHttp) -> list[Event]:
    def follow() -> list[Event]:
        with Client(server.url, patience=HURRIED) as client:
            return list(client.reply(say="月亮"))

    return await asyncio.to_thread(follow)


@pytest.fixture(params=[follow_async, follow_blocking], ids=["async", "blocking"])
def follow(request: pytest.FixtureRequest) -> Follow:
    chosen: Follow = request.param
    return chosen


async def test_events_arrive_typed_and_in_order(serve: Serve, follow: Follow) -> None:
    events = await follow(await serve(CREATED, WHOLE))
    assert [event.type for event in events] == ["accepted", "text_delta", "done"]
    assert isinstance(events[1], TextDelta)
    assert events[1].delta == "月亮 🌙"


async def test_a_cut_line_is_taken_up_after_the_last_whole_event(serve: Serve, follow: Follow) -> None:
    half_of_done = DONE[: len(DONE) // 2]
    server = await serve(CREATED, Answer([ACCEPTED, MOON, half_of_done], cut=True), Answer([DONE]))
    events = await follow(server)
    assert [event.id for event in events] == [1, 2, 3]
    assert "last-event-id" not in server.requests[1].headers
    assert server.requests[2].headers["last-event-id"] == "2"


async def test_every_byte_is_a_place_where_the_line_may_break(serve: Serve, follow: Follow) -> None:
    stream = ACCEPTED + MOON + DONE
    for length in range(0, len(stream), 7):
        arrived = sum(length >= len(part) for part in (ACCEPTED, ACCEPTED + MOON))
        server = await serve(
            CREATED,
            Answer([stream[:length]] if length else [], cut=True),
            Answer([ACCEPTED, MOON, DONE][arrived:]),
        )
        assert [event.id for event in await follow(server)] == [1, 2, 3]
        assert server.requests[2].headers.get("last-event-id", "0") == str(arrived)


async def test_characters_split_between_packets_arrive_whole(serve: Serve, follow: Follow) -> None:
    bytewise = [bytes([byte]) for byte in ACCEPTED + MOON + DONE]
    events = await follow(await serve(CREATED, Answer(bytewise)))
    assert isinstance(events[1], TextDelta)
    assert events[1].delta == "月亮 🌙"


async def test_pings_and_unknown_events_are_passed_over(serve: Serve, follow: Follow) -> None:
    later = sse(2, "sparkle", colour="red")
    answer = Answer([b"retry: 10\n\n: ping\n\n", ACCEPTED, b": ping\n\n", later, DONE])
    assert [event.type for event in await follow(await serve(CREATED, answer))] == ["accepted", "done"]


async def test_repeated_events_are_given_once(serve: Serve, follow: Follow) -> None:
    server = await serve(CREATED, Answer([ACCEPTED, MOON], cut=True), WHOLE)
    assert [event.id for event in await follow(server)] == [1, 2, 3]


async def test_a_gateway_being_replaced_is_waited_for(serve: Serve, follow: Follow) -> None:
    away = Answer([b"<h1>Bad gateway</h1>"], status=502, content_type="text/html")
    server = await serve(CREATED, away, away, WHOLE)
    assert [event.id for event in await follow(server)] == [1, 2, 3]


async def test_a_line_lost_too_often_is_given_up(serve: Serve, follow: Follow) -> None:
    lost = Answer(cut=True)
    server = await serve(CREATED, *[lost] * 10)
    with pytest.raises(Unreachable, match="4 times in a row"):
        await follow(server)
    assert len(server.requests) == 1 + 1 + HURRIED.attempts


async def test_news_renew_the_patience(serve: Serve, follow: Follow) -> None:
    deltas = [sse(position, "text_delta", delta="x") for position in range(1, 8)]
    done = sse(8, "done", status="completed", video_url=None, usage={}, timings={})
    server = await serve(CREATED, *[Answer([delta], cut=True) for delta in deltas], Answer([done]))
    assert [event.id for event in await follow(server)] == list(range(1, 9))


async def test_an_error_event_is_raised_as_the_problem_it_is(serve: Serve, follow: Follow) -> None:
    failed = sse(2, "error", type="stage-unavailable", title="A part is out of reach", status=503,
                 detail="The speech service does not answer.", trace_id="abc", stage="speech")  # fmt: skip
    with pytest.raises(Problem, match="speech service does not answer") as raised:
        await follow(await serve(CREATED, Answer([ACCEPTED, failed])))
    assert (raised.value.type, raised.value.status, raised.value.stage) == (
        "stage-unavailable",
        503,
        "speech",
    )


async def test_a_refused_request_is_raised_as_the_problem_it_is(serve: Serve, follow: Follow) -> None:
    body = {"type": "rate-limited", "title": "Too many requests", "status": 429, "detail": "Wait a little.",
            "trace_id": "abc", "retry_after_seconds": 3.0}  # fmt: skip
    answer = Answer([json.dumps(body).encode()], status=429, content_type="application/problem+json")
    with pytest.raises(Problem, match="Wait a little") as raised:
        await follow(await serve(answer))
    assert raised.value.retry_after_seconds == 3.0


async def test_a_proxys_own_error_page_becomes_a_sentence(serve: Serve, follow: Follow) -> None:
    page = Answer([b"<h1>No</h1>"], status=413, content_type="text/html")
    with pytest.raises(Problem, match="413"):
        await follow(await serve(page))


async def test_another_kind_of_server_is_recognised(serve: Serve, follow: Follow) -> None:
    page = Answer([b"<h1>Welcome</h1>"], content_type="text/html")
    with pytest.raises(Unreachable, match="not a gateway"):
        await follow(await serve(page))


async def test_events_against_the_contract_are_refused(serve: Serve, follow: Follow) -> None:
    with pytest.raises(Unreachable, match="cannot be read"):
        await follow(await serve(CREATED, Answer([sse(1, "text_delta", delta=["not", "text"])])))


async def test_nobody_listening_is_said_in_a_sentence(follow: Follow) -> None:
    async with scripted_http() as server:
        pass
    with pytest.raises(Unreachable, match=server.url):
        await follow(server)


async def test_leaving_early_closes_the_line(serve: Serve) -> None:
    server = await serve(CREATED, Answer([ACCEPTED], hold=True), Answer(status=204))
    async with AsyncClient(server.url) as client:
        reply = await client.reply(say="Moon")
        async with asyncio.timeout(10):
            events = reply.events()
            assert (await anext(events)).type == "accepted"
            await events.aclose()
            await reply.cancel()
    assert (server.requests[-1].method, server.requests[-1].path) == ("POST", "/v1/replies/r1/cancel")


async def test_keys_travel_in_headers_and_options_in_the_body(serve: Serve) -> None:
    server = await serve(CREATED)
    async with AsyncClient(server.url, api_key="mine") as client:
        await client.reply(
            messages=[{"role": "user", "content": "Moon?"}],
            idempotency_key="once",
            llm_api_key="secret",
            temperature=0,
            outputs=["text"],
        )
    request = server.requests[0]
    assert request.headers["authorization"] == "Bearer mine"
    assert request.headers["idempotency-key"] == "once"
    assert request.headers["x-llm-api-key"] == "secret"
    assert json.loads(request.body) == {
        "messages": [{"role": "user", "content": "Moon?"}],
        "temperature": 0,
        "outputs": ["text"],
    }


async def test_recorded_speech_travels_beside_the_request(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "speech.wav").write_bytes(b"RIFF of speech")
    server = await serve(CREATED)
    async with AsyncClient(server.url) as client:
        await client.reply(audio=tmp_path / "speech.wav", avatar="ada")
    request = server.requests[0]
    assert request.headers["content-type"].startswith("multipart/form-data")
    assert b'name="request"' in request.body
    assert b'{"avatar": "ada"}' in request.body
    assert b'name="audio"; filename="speech.wav"' in request.body
    assert b"RIFF of speech" in request.body


@pytest.mark.parametrize("sources", [{}, {"say": "a", "audio": b"b"}])
async def test_exactly_one_source_is_asked_for(sources: dict[str, str]) -> None:
    async with AsyncClient("http://127.0.0.1:9") as client:
        with pytest.raises(ValueError, match="exactly one"):
            await client.reply(**sources)  # type: ignore[arg-type]


def test_an_address_without_a_scheme_is_refused() -> None:
    with pytest.raises(ValueError, match="not an address"):
        Client("localhost:8000")


@pytest.mark.parametrize("key", ["secret\nsecret", "secret–", "\0secret"])
def test_a_key_that_cannot_be_sent_is_not_quoted(key: str) -> None:
    with pytest.raises(ValueError, match="no HTTP header") as refused:
        Client("http://127.0.0.1:9", api_key=key)
    assert "secret" not in str(refused.value)
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(VisavisError, match="language model's key") as own:
            client.reply(say="Hello", llm_api_key=key)
        assert "secret" not in str(own.value)
        with pytest.raises(VisavisError, match="Idempotency-Key"):
            client.reply(say="Hello", idempotency_key=key)


async def test_the_end_of_a_key_file_is_no_part_of_the_key(serve: Serve) -> None:
    server = await serve(Answer([b'{"models": []}'], content_type="application/json"))
    async with AsyncClient(server.url, api_key="sesame\n") as client:
        await client.models()
    assert server.requests[0].headers["authorization"] == "Bearer sesame"


@pytest.mark.parametrize("server", ["localhost:8000", "ftp://localhost", "http://localhost:port"])
def test_an_address_of_no_server_is_refused(server: str) -> None:
    with pytest.raises(ValueError, match="not an address of a server"):
        Client(server)
