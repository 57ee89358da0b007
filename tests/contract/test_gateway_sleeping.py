"""A page that is opened while no video worker runs: one is woken, and its faces stay when it sleeps again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest_asyncio
import redis.asyncio

from gateway.valkey.tickets import STREAM
from tests.fakes import fragments
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, valkey: str, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    settings = {"sleeping_stages": {"video"}, "valkey_url": valkey, "patience_seconds": 60}
    async with served_gateway(stages, tmp_path, **settings) as served:
        yield served


async def until(seen: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while True:
            if await seen():
                return
            await asyncio.sleep(0.05)


async def test_who_asks_for_a_face_wakes_a_worker(
    gateway: ServedGateway, stages: FakeStages, valkey: str
) -> None:
    async with redis.asyncio.Redis.from_url(valkey) as client:

        async def open_tickets() -> int:
            return int(await client.xlen(STREAM))

        async def no_tickets() -> bool:
            return await open_tickets() == 0

        async def one_ticket() -> bool:
            return await open_tickets() == 1

        async def listed() -> bool:
            return (await gateway.http.get("/v1/avatars")).status_code == 200

        await stages.lipsync_server.stop()
        refused = await gateway.http.get("/v1/avatars")
        assert refused.status_code == 503
        assert "Retry-After" in refused.headers
        await until(one_ticket)
        await stages.lipsync_server.start()
        await until(listed)
        await until(no_tickets)
    await stages.lipsync_server.stop()
    assert (await gateway.http.get("/v1/avatars/grey/idle.mp4")).content == fragments.idle_loop()
    assert (await gateway.http.get("/v1/avatars/grey/poster.jpg")).content == fragments.poster()
