"""A reply is stopped while it runs, and only then: whoever comes too late removes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, check_story, served_gateway
from tests.fakes.stages import FakeStages


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path) as served:
        yield served


async def test_cancelling_stops_the_stages_and_answers_with_how_the_reply_ended(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    stages.lipsync.faults.plan(Fault(after=2, gate=asyncio.Event()))
    reply_id = await gateway.post()
    async for event in gateway.live(reply_id):
        if event.type == "fragment":
            break
    answered = await gateway.http.post(f"/v1/replies/{reply_id}/cancel")
    assert (answered.status_code, answered.json()["status"]) == (200, "cancelled")
    await stages.lipsync.faults.cut_off.wait()
    check_story(events := await gateway.events(reply_id))
    assert events[-1].data["status"] == "cancelled"
    fragment = next(event.data["url"] for event in events if event.type == "fragment")
    assert (await gateway.http.get(fragment)).status_code == 200


async def test_cancelling_a_reply_that_has_ended_leaves_it_as_it_is(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    events = await gateway.events(reply_id)
    for _ in range(2):
        answered = await gateway.http.post(f"/v1/replies/{reply_id}/cancel")
        assert (answered.status_code, answered.json()["status"]) == (200, "completed")
    assert await gateway.events(reply_id) == events
    assert (await gateway.http.get(f"/v1/replies/{reply_id}/video.mp4")).status_code == 200


async def test_an_unknown_reply_cannot_be_cancelled(gateway: ServedGateway) -> None:
    assert (await gateway.http.post("/v1/replies/nobody/cancel")).json()["type"] == "not-found"
