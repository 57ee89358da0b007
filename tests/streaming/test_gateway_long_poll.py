"""Readers without a connection to keep: they ask again and again, and hear the same events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest_asyncio

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


async def test_a_wait_that_is_none_is_refused_by_name(gateway: ServedGateway) -> None:
    refused = await gateway.http.get("/v1/replies/any/events?wait=-1")
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "wait")
