"""More replies than video workers: another worker is tried, and those that wait are served in their order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import lipsync_pb2

from tests.fakes.served_gateway import ServedGateway, Told, check_story, served_gateway
from tests.fakes.stages import FakeStages
from tests.fakes.video_stage import FakeLipsync
from tests.fakes.video_workers import gateway_with

LONG_SECONDS = 3600.0
SENTENCES = ["One.", "And then there were two.", "And a third one that comes last, and is the longest."]


class OneSlot(FakeLipsync):
    """A worker that renders one utterance at a time, once it may, and refuses the others unheard."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = False
        self.refused = 0
        self.retry_seconds = LONG_SECONDS
        self.may_render = asyncio.Event()

    async def Animate(
        self, requests: AsyncIterator[lipsync_pb2.AnimateRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        if self.taken:
            self.refused += 1
            raise Failure(FailureType.BUSY, "The slot is taken.", retry_after_seconds=self.retry_seconds)
        self.taken = True
        try:
            started = False
            async for response in super().Animate(requests, context):
                yield response
                if not started:
                    started = True
                    await self.may_render.wait()
        finally:
            self.taken = False


async def until_queued(gateway: ServedGateway, reply_id: str, position: int) -> Told:
    async for event in gateway.live(reply_id):
        if event.type == "progress" and event.data["queue_position"] == position:
            return event
    raise AssertionError(f"{reply_id} was never told position {position}")


async def test_where_one_worker_is_busy_another_one_renders(tmp_path: Path) -> None:
    busy, free = OneSlot(), FakeLipsync()
    busy.taken = True
    async with gateway_with(busy, free, folder=tmp_path) as gateway:
        events = await gateway.reply()
        check_story(events)
        assert events[-1].data["status"] == "completed"
    assert busy.refused
    assert not busy.starts
    assert len(free.starts) == 4


async def test_replies_that_wait_are_told_their_place_and_served_in_their_order(tmp_path: Path) -> None:
    worker = OneSlot()
    async with gateway_with(worker, folder=tmp_path) as gateway:
        first = await gateway.post({"say": SENTENCES[0]})
        second = await gateway.post({"say": SENTENCES[1]})
        early = await until_queued(gateway, second, 1)
        third = await gateway.post({"say": SENTENCES[2]})
        late = await until_queued(gateway, third, 2)
        assert early.data["starts_in_seconds"] < late.data["starts_in_seconds"]
        # Whoever comes now is told so at once.
        answer = (await gateway.http.post("/v1/replies", json={"say": "Me too."})).json()
        assert answer["starts_in_seconds"] >= early.data["starts_in_seconds"]
        worker.may_render.set()
        for reply_id in (first, second, third, answer["id"]):
            events = await gateway.events(reply_id)
            check_story(events)
            assert events[-1].data["status"] == "completed"
    begun = [start.sample_count for start in worker.starts if start.start_frame == 0]
    assert begun[:3] == sorted(begun[:3])
    assert len(begun) == 4
    # Only the next one knocks, and not all the time.
    assert worker.refused < 40


async def test_a_cancelled_reply_leaves_the_queue(tmp_path: Path) -> None:
    worker = OneSlot()
    async with gateway_with(worker, folder=tmp_path) as gateway:
        await gateway.post({"say": SENTENCES[0]})
        second = await gateway.post({"say": SENTENCES[1]})
        await until_queued(gateway, second, 1)
        third = await gateway.post({"say": SENTENCES[2]})
        await until_queued(gateway, third, 2)
        assert (await gateway.http.delete(f"/v1/replies/{second}")).status_code == 204
        await until_queued(gateway, third, 1)
        worker.may_render.set()
        assert (await gateway.events(third))[-1].data["status"] == "completed"


async def test_the_queue_is_one_for_all_gateways_and_has_an_end(valkey: str, tmp_path: Path) -> None:
    worker, stages = OneSlot(), FakeStages()
    stages.lipsync, worker.retry_seconds = worker, 0.2
    shared = {"valkey_url": valkey, "data": str(tmp_path), "max_replies_together": 3}
    async with AsyncExitStack() as stack:
        for server in (stages.text_server, stages.tts_server, stages.lipsync_server):
            await server.start()
            stack.push_async_callback(server.stop)
        here = await stack.enter_async_context(served_gateway(stages, tmp_path, **shared))
        there = await stack.enter_async_context(served_gateway(stages, tmp_path, **shared))
        first = await here.post({"say": SENTENCES[0]})
        second = await here.post({"say": SENTENCES[1]})
        await until_queued(here, second, 1)
        third = await there.post({"say": SENTENCES[2]})
        late = await until_queued(there, third, 2)
        assert late.data["starts_in_seconds"] > worker.retry_seconds
        for gateway in (here, there):
            refused = await gateway.http.post("/v1/replies", json={"say": "Me too."})
            assert (refused.status_code, refused.json()["type"]) == (429, "busy")
            assert int(refused.headers["Retry-After"]) > 0
        assert (await here.http.delete(f"/v1/replies/{second}")).status_code == 204
        await until_queued(there, third, 1)
        worker.may_render.set()
        for reply_id in (first, third):
            assert (await here.events(reply_id))[-1].data["status"] == "completed"


async def test_a_stage_that_sleeps_is_waited_for_and_told_of_at_once(tmp_path: Path) -> None:
    stages = FakeStages()
    async with AsyncExitStack() as stack:
        for server in (stages.text_server, stages.tts_server, stages.lipsync_server):
            await server.start()
            stack.push_async_callback(server.stop)
        await stages.lipsync_server.stop()
        sleeping = {"sleeping_stages": frozenset({"video"}), "patience_seconds": 60}
        gateway = await stack.enter_async_context(served_gateway(stages, tmp_path, **sleeping))
        first = (await gateway.http.post("/v1/replies", json={"say": SENTENCES[0]})).json()
        assert (await gateway.http.get("/readyz")).json()["stages"]["video"] == "asleep"
        await stages.lipsync_server.start()
        events = await gateway.events(first["id"])
        check_story(events)
        assert events[-1].data["status"] == "completed"
        awake = (await gateway.http.post("/v1/replies", json={"say": SENTENCES[0]})).json()
        assert awake["starts_in_seconds"] + 5 < first["starts_in_seconds"]
