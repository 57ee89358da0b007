"""Faces that workers do not hold yet: they are handed over, however many workers take turns."""

from __future__ import annotations

from pathlib import Path

import pytest
from visavis.rpc.failures import Failure, FailureType

from tests.fakes import fragments
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, check_story
from tests.fakes.video_stage import FakeLipsync
from tests.fakes.video_workers import gateway_with


async def added_face(gateway: ServedGateway) -> str:
    added = await gateway.http.post(
        "/v1/avatars",
        data={"name": "Ada", "consent": "true"},
        files={"image": ("photo.jpg", fragments.poster(), "image/jpeg")},
    )
    assert added.status_code == 201, added.text
    return str(added.json()["id"])


@pytest.mark.parametrize("count", [1, 2, 3, 4])
async def test_a_new_face_speaks_whichever_worker_is_asked(tmp_path: Path, count: int) -> None:
    workers = [FakeLipsync() for _ in range(count)]
    async with gateway_with(*workers, folder=tmp_path) as gateway:
        events = await gateway.reply({"say": "Hello.", "avatar": await added_face(gateway)})
        check_story(events)
        assert events[-1].type == "done", events[-1].data


async def test_a_worker_that_dies_while_it_is_handed_a_face_costs_no_reply(tmp_path: Path) -> None:
    worker = FakeLipsync()
    gone = Failure(FailureType.STAGE_UNAVAILABLE, "The worker is shutting down.")
    worker.handovers.plan(Fault(after=1, failure=gone))
    async with gateway_with(worker, folder=tmp_path) as gateway:
        events = await gateway.reply({"say": "Hello.", "avatar": await added_face(gateway)})
        check_story(events)
        assert events[-1].type == "done", events[-1].data
    assert worker.handovers.calls == 2
