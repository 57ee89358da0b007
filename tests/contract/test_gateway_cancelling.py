"""A reply is cancelled while it runs, deleted whenever; cancelling one that has ended removes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
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


@pytest.mark.parametrize("stage", ["text", "speech", "video"])
async def test_delete_stops_every_stage(stages: FakeStages, gateway: ServedGateway, stage: str) -> None:
    faults = stages.faults_of(stage)
    faults.plan(Fault(after=2, gate=asyncio.Event()))
    reply_id = await gateway.post()
    await faults.reached.wait()
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}")).status_code == 204
    await faults.cut_off.wait()
    events = await gateway.events(reply_id)
    check_story(events)
    assert (events[-1].type, events[-1].data["status"]) == ("done", "cancelled")
    for served in (stages.text, stages.tts, stages.lipsync):
        assert served.faults.running == 0


async def test_many_cancellations_at_once_make_one_end(stages: FakeStages, gateway: ServedGateway) -> None:
    stages.tts.faults.plan(Fault(after=2, gate=asyncio.Event()))
    reply_id = await gateway.post()
    await stages.tts.faults.reached.wait()
    await asyncio.gather(*(gateway.inside.running.cancel(reply_id) for _ in range(4)))
    check_story(events := await gateway.events(reply_id))
    assert events[-1].data["status"] == "cancelled"
    assert reply_id not in gateway.inside.running


async def test_delete_before_any_work_makes_one_end(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    await gateway.inside.running.cancel(reply_id)
    check_story(await gateway.events(reply_id))


async def test_delete_of_a_finished_reply_removes_it(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    await gateway.events(reply_id)
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}")).status_code == 204
    for part in ("", "/events", "/video.mp4", "/init.mp4"):
        assert (await gateway.http.get(f"/v1/replies/{reply_id}{part}")).status_code == 404
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}")).status_code == 404
