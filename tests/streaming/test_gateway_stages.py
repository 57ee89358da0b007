"""Each stage is held back in turn; progress says which one the reply has come to, and not the next one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path) as served:
        yield served


async def test_a_stage_is_named_when_it_has_work_and_not_before(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gates = {"text": asyncio.Event(), "speech": asyncio.Event(), "video": asyncio.Event()}
    # After its first words: there is text, but nothing to be spoken yet.
    stages.text.faults.plan(Fault(after=3, gate=gates["text"]))
    stages.tts.faults.plan(Fault(gate=gates["speech"]))
    stages.lipsync.faults.plan(Fault(gate=gates["video"]))
    faults = {"text": stages.text.faults, "speech": stages.tts.faults, "video": stages.lipsync.faults}
    told: list[str] = []
    async for event in gateway.live(await gateway.post()):
        if event.type == "progress":
            stage = event.data["stage"]
            told.append(stage)
            # It has been given work; only now may it do it.
            await faults[stage].reached.wait()
            gates[stage].set()
    assert list(dict.fromkeys(told)) == ["text", "speech", "video"]
    assert told == sorted(told, key=["text", "speech", "video"].index)


async def test_a_reply_without_speech_never_leaves_its_text(gateway: ServedGateway) -> None:
    events = await gateway.reply({"say": "Hello.", "outputs": ["text"]})
    assert {event.data["stage"] for event in events if event.type == "progress"} == {"text"}
