"""Open video work is what autoscalers count: from before the call until its end, whatever that end is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from gateway.stages.tickets import Others
from gateway.valkey.connection import Client, connected
from gateway.valkey.tickets import STREAM, ValkeyTickets


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, 30) as client:
        yield client


async def open_work(client: Client) -> list[bytes]:
    entries: Any = await client.xrange(STREAM)
    return [fields[b"work"] for _, fields in entries]


async def test_a_ticket_is_there_for_as_long_as_its_work(client: Client) -> None:
    tickets = ValkeyTickets(client, "here")
    async with tickets.held("r1"), tickets.held("r1"):
        async with tickets.held("r2"):
            assert await client.xlen(STREAM) == 3
        assert await client.xlen(STREAM) == 2
    assert await client.xlen(STREAM) == 0


@pytest.mark.parametrize("end", [asyncio.CancelledError, RuntimeError])
async def test_work_that_breaks_leaves_no_ticket(client: Client, end: type[BaseException]) -> None:
    with pytest.raises(end):
        async with ValkeyTickets(client, "here").held("r1"):
            raise end
    assert await client.xlen(STREAM) == 0


async def test_a_cancelled_task_leaves_no_ticket(client: Client) -> None:
    working = asyncio.Event()

    async def work() -> None:
        async with ValkeyTickets(client, "here").held("r1"):
            working.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await working.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await client.xlen(STREAM) == 0


async def test_a_ticket_that_is_being_written_when_its_work_is_cancelled_is_removed(client: Client) -> None:
    tickets = ValkeyTickets(client, "here")

    async def work() -> None:
        async with tickets.held("r1"):
            await asyncio.Event().wait()

    for turns in range(6):
        task = asyncio.create_task(work())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
    async with tickets.held("r2"):
        assert await open_work(client) == [b"r2"]


async def test_work_that_is_served_stays_open_and_is_no_longer_waiting(client: Client) -> None:
    here, there = ValkeyTickets(client, "here"), ValkeyTickets(client, "there")
    async with here.held("r1") as served, there.held("r2"), here.held("r3"), there.held("r4"):
        await served.serve()
        await served.serve()
        assert sorted(await open_work(client)) == [b"r1", b"r2", b"r3", b"r4"]
        for tickets in (here, there):
            await tickets.look()
        # r1 is served; r2, r3 and r4 wait, in this order.
        assert there.others("r2") == Others(waiting=0, served=1)
        assert here.others("r3") == Others(waiting=1, served=0)
        assert there.others("r4") == Others(waiting=1, served=1)
        assert here.others("not asked for yet") == Others(waiting=2, served=0)
    assert await client.xlen(STREAM) == 0


async def test_what_a_dead_gateway_held_is_dropped_by_its_work(client: Client) -> None:
    tickets = ValkeyTickets(client, "here")
    held = [tickets.held(work) for work in ("r1", "r2", "r1")]
    for ticket in held:
        await ticket.__aenter__()
    await tickets.drop("r1")
    assert await open_work(client) == [b"r2"]


async def test_what_nobody_can_hold_any_more_is_dropped_by_its_age(client: Client) -> None:
    tickets = ValkeyTickets(client, "here")
    await client.xadd(STREAM, {"work": "r1"}, id="1000-0")
    async with tickets.held("r2"):
        await tickets.drop_older(60)
        assert await open_work(client) == [b"r2"]


async def test_work_goes_on_where_no_ticket_can_be_written(client: Client) -> None:
    await client.set(STREAM, "not a stream")
    async with ValkeyTickets(client, "here").held("r1"):
        done = True
    assert done
