"""Good requests go in and reach the stages as they were meant; too many are told to wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages

HELLO = {"say": "Hello."}


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path, max_running_replies=2) as served:
        yield served


@pytest.mark.parametrize(
    "body",
    [
        {"say": "Hello.", "temperature": 0},
        {"say": "😀🎉"},
        {"say": "你好。"},
        {"say": "a\u0000b"},
        {"say": "Hello.", "language": "en", "voice": "hum-en", "avatar": "grey", "speaking_rate": 1.25},
        {"say": "Hello.", "language": "zh"},
        MOON | {"model": "tiny", "stop": ["."], "logit_bias": {"moon": -100}},
    ],
)
async def test_what_is_unusual_but_good_is_taken(gateway: ServedGateway, body: dict[str, Any]) -> None:
    assert (await gateway.reply(body))[-1].data["status"] == "completed"


async def test_every_setting_reaches_its_stage(gateway: ServedGateway, stages: FakeStages) -> None:
    settings = {
        "temperature": 0,
        "max_tokens": 9,
        "presence_penalty": 0,
        "frequency_penalty": -1,
        "stop": ["END"],
        "logit_bias": {"moon": -5},
        "language": "en",
        "voice": "hum-en",
        "speaking_rate": 1.25,
        "pitch_semitones": -2.5,
    }
    await gateway.reply(MOON | settings, **{"X-LLM-API-Key": "sk-mine"})
    asked = stages.text.requests[0]
    conversation = asked.conversation
    assert conversation.HasField("temperature")
    assert conversation.HasField("presence_penalty")
    assert (conversation.temperature, conversation.max_tokens) == (0, 9)
    assert (conversation.presence_penalty, conversation.frequency_penalty) == (0, -1)
    assert (list(conversation.stop), dict(conversation.logit_bias)) == (["END"], {"moon": -5})
    assert (conversation.api_key, asked.language) == ("sk-mine", "en")
    spoken = stages.tts.requests[0]
    assert (spoken.voice, spoken.speaking_rate, spoken.pitch_semitones) == ("hum-en", 1.25, -2.5)
    assert {start.avatar_id for start in stages.lipsync.starts} == {"grey"}


async def test_what_is_not_set_is_left_to_the_provider(gateway: ServedGateway, stages: FakeStages) -> None:
    await gateway.reply()
    conversation = stages.text.requests[0].conversation
    assert not conversation.HasField("temperature")
    assert not conversation.HasField("max_tokens")
    assert not conversation.HasField("presence_penalty")
    assert not conversation.HasField("frequency_penalty")


async def test_too_many_replies_at_once_are_told_to_wait(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate), Fault(gate=gate))
    running = [await gateway.post(), await gateway.post()]
    response = await gateway.http.post("/v1/replies", json=MOON)
    assert (response.status_code, response.json()["type"]) == (429, "busy")
    assert int(response.headers["Retry-After"]) > 0
    gate.set()
    for reply_id in running:
        await gateway.events(reply_id)
    assert (await gateway.reply())[-1].type == "done"


async def test_lists_that_cannot_be_had_do_not_refuse_a_request(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    await stages.tts_server.stop()
    await gateway.post(HELLO | {"voice": "somebody"})


async def test_prefer_wait_turns_a_failure_into_the_response(stages: FakeStages, tmp_path: Path) -> None:
    await stages.text_server.stop()
    async with served_gateway(stages, tmp_path, patience_seconds=0) as gateway:
        response = await gateway.http.post("/v1/replies", json=MOON, headers={"Prefer": "wait=20"})
        assert (response.status_code, response.json()["type"]) == (503, "stage-unavailable")
        assert response.headers["Content-Type"] == "application/problem+json"
        assert response.headers["Location"].startswith("/v1/replies/")


async def test_an_unknown_reply_is_404_everywhere(gateway: ServedGateway) -> None:
    for part in (
        "",
        "/events",
        "/video.mp4",
        "/video.m3u8",
        "/init.mp4",
        "/0.m4s",
        "/0.wav",
        "/captions.vtt",
    ):
        response = await gateway.http.get(f"/v1/replies/nobody{part}")
        assert (response.status_code, response.json()["type"]) == (404, "not-found")
    assert (await gateway.http.delete("/v1/replies/nobody")).status_code == 404


async def test_addresses_and_methods_that_are_not_there_are_problems(gateway: ServedGateway) -> None:
    assert (await gateway.http.get("/v1/nothing")).json()["type"] == "not-found"
    wrong_method = await gateway.http.put("/v1/replies", json=MOON)
    assert (wrong_method.status_code, wrong_method.json()["type"]) == (405, "method-not-allowed")


async def test_a_trace_is_taken_over_from_the_caller(gateway: ServedGateway, stages: FakeStages) -> None:
    trace_id = "4bf92f3577b34da6a3ce929d0e0e4736"
    response = await gateway.http.post(
        "/v1/replies", json={}, headers={"traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"}
    )
    assert response.json()["trace_id"] == response.headers["X-Trace-Id"] == trace_id


async def test_a_trace_that_is_none_holds_nothing_up(gateway: ServedGateway) -> None:
    nonsense = f"00-{'é' * 32}-00f067aa0ba902b7-01".encode("latin-1")
    headers = {b"traceparent": nonsense}
    started = await gateway.http.post("/v1/replies", json=HELLO, headers=headers)
    assert started.headers["X-Trace-Id"].isascii()
    assert (await gateway.events(started.json()["id"]))[-1].type == "done"
    assert (await gateway.http.post("/v1/tokens", json=MOON, headers=headers)).status_code == 200
