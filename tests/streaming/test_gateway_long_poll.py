"""Readers without a connection to keep: they ask again and again, and hear the same events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.http.streaming import told_events
from gateway.reply.event_log import MemoryEventLog
from gateway.reply.events import LoggedEvent
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path) as served:
        yield served


async def looked(gateway: ServedGateway, reply_id: str, after: int, wait: float) -> list[dict[str, Any]]:
    """The events of one answer."""
    response = await gateway.http.get(
        f"/v1/replies/{reply_id}/events",
        params={"after": after, "wait": wait},
        headers={"Accept": "application/x-ndjson"},
    )
    return [json.loads(line) for line in response.text.splitlines() if line]


async def test_a_look_ends_with_what_there_is(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=3, gate=gate))
    reply_id = await gateway.post()
    await stages.text.faults.reached.wait()
    first = await looked(gateway, reply_id, 0, 0)
    assert first[0]["event"] == "accepted"
    assert first[-1]["event"] not in ("done", "error")
    gate.set()
    heard = [*first]
    while heard[-1]["event"] != "done":
        heard += await looked(gateway, reply_id, heard[-1]["id"], 60)
    assert [event["id"] for event in heard] == [event.id for event in await gateway.events(reply_id)]


async def test_a_look_waits_for_the_next_event(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=3, gate=gate))
    reply_id = await gateway.post()
    await stages.text.faults.reached.wait()
    known = (await looked(gateway, reply_id, 0, 0))[-1]["id"]
    waiting = asyncio.create_task(looked(gateway, reply_id, known, 60))
    gate.set()
    assert (await waiting)[-1]["event"] == "done"


class IdleLog(MemoryEventLog):
    """Nothing happens, and nobody has to wait for that; `waits` is how long readers would have."""

    def __init__(self) -> None:
        super().__init__(max_events=9, max_replies=9)
        self.waits: list[float] = []

    async def read(self, reply_id: str, after: int = 0, wait_seconds: float = 0.0) -> list[LoggedEvent]:
        if wait_seconds:
            self.waits.append(wait_seconds)
        return []


@pytest.mark.parametrize("wait", [0.0, 5.0, 15.0, 20.0, 50.0])
async def test_a_look_waits_as_long_as_it_was_asked_to(gateway: ServedGateway, wait: float) -> None:
    log = IdleLog()
    await log.open("a")
    inside = replace(gateway.inside, log=log)
    pings = [event async for event in told_events(inside, "a", 0, "line", wait)]
    assert sum(log.waits) == pytest.approx(wait)
    assert all(seconds <= inside.settings.ping_seconds for seconds in log.waits)
    assert len(pings) == max(0, len(log.waits) - 1)


async def test_a_wait_that_is_none_is_refused_by_name(gateway: ServedGateway) -> None:
    refused = await gateway.http.get("/v1/replies/any/events?wait=-1")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "wait")
