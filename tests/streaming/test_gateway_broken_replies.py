"""Whatever is broken about a reply, it ends: in an error that says so."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.reply.events import ProgressEvent
from gateway.reply.progress import Progress
from gateway.valkey.connection import connected
from tests.fakes.faults import Fault
from tests.fakes.registers import entry, valkey_register
from tests.fakes.served_gateway import check_story, served_gateway
from tests.fakes.stages import FakeStages


async def test_an_order_that_nobody_can_read_ends_as_interrupted(
    stages: FakeStages, valkey: str, tmp_path: Path
) -> None:
    async with connected(valkey, patience_seconds=30) as client:
        await valkey_register(client).enter(entry("a", record="{}"))
        async with served_gateway(stages, tmp_path, valkey_url=valkey, takeover_seconds=0.5) as gateway:
            events = await gateway.events("a")
            check_story(events)
            assert (events[-1].type, events[-1].data["type"]) == ("error", "interrupted")


async def test_a_reply_whose_progress_cannot_be_told_ends_as_a_failure_of_the_gateway(
    stages: FakeStages, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_progress: Progress) -> ProgressEvent:
        raise ZeroDivisionError

    monkeypatch.setattr(Progress, "event", broken)
    stages.text.faults.plan(Fault(gate=asyncio.Event()))
    async with served_gateway(stages, tmp_path) as gateway:
        events = await gateway.reply()
        assert [event.type for event in events] == ["accepted", "error"]
        assert events[-1].data["type"] == "unknown"
        assert "ZeroDivision" not in str(events[-1].data)
