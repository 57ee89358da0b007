"""Who makes which reply: what one process lets go, or dies with, another one finds, and nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from gateway.reply.claims import Cancelled, Lost, News, Orphan
from gateway.valkey.claims import ValkeyClaims, claiming
from gateway.valkey.connection import Client, connected
from gateway.valkey.keys import ORDERS, claim_key, inbox_key
from gateway.valkey.reader import StreamReader, reading
from tests.fakes.registers import entry, valkey_register

NEVER = 3600.0
SOON = 0.05


@asynccontextmanager
async def a_client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


async def silent(client: Client, stack: AsyncExitStack, takeover_seconds: float = SOON) -> ValkeyClaims:
    """A process that never says that it is alive."""
    claims = ValkeyClaims(client, await stack.enter_async_context(reading(client)), takeover_seconds)
    await claims.enter()
    return claims


async def living(client: Client, stack: AsyncExitStack, takeover_seconds: float) -> ValkeyClaims:
    """A process that says so in time."""
    reader = await stack.enter_async_context(reading(client))
    return await stack.enter_async_context(claiming(client, reader, takeover_seconds))


async def hold(client: Client, claims: ValkeyClaims, reply_id: str, record: str) -> None:
    """A reply begins in this process's hands."""
    await valkey_register(client, claims=claims).enter(entry(reply_id, record=record))


async def first(claims: ValkeyClaims) -> News:
    async with asyncio.timeout(60):
        return await anext(claims.news())


async def test_what_a_dead_process_made_is_found(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        dead = await silent(client, stack)
        await hold(client, dead, "a", "what was asked")
        heir = await living(client, stack, SOON)
        assert await first(heir) == Orphan("a", "what was asked")
        await heir.finish("a")
        assert await client.xlen(ORDERS) == 0


async def test_processes_that_stood_still_together_take_nothing_from_each_other(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        one, other = await living(client, stack, 0.5), await living(client, stack, 0.5)
        await hold(client, one, "a", "what was asked")
        await hold(client, other, "b", "what was asked")
        await client.client_pause(800)
        # Answered when the server goes on.
        await client.ping()
        dead = await silent(client, stack)
        await hold(client, dead, "c", "what was asked")
        # Nothing of the living was news before.
        heir = asyncio.create_task(first(one)), asyncio.create_task(first(other))
        done, waiting = await asyncio.wait(heir, return_when=asyncio.FIRST_COMPLETED)
        assert [task.result() for task in done] == [Orphan("c", "what was asked")]
        for task in waiting:
            task.cancel()


async def test_what_is_let_go_is_found_at_once(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        leaving, heir = await living(client, stack, NEVER), await living(client, stack, NEVER)
        await hold(client, leaving, "a", "what was asked")
        await leaving.release("a")
        found = await asyncio.wait(
            {asyncio.create_task(first(heir)), asyncio.create_task(first(leaving))},
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert [task.result() for task in found[0]] == [Orphan("a", "what was asked")]
        for task in found[1]:
            task.cancel()


async def test_who_comes_back_too_late_is_told(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        late = await silent(client, stack)
        await hold(client, late, "a", "what was asked")
        heir = await living(client, stack, SOON)
        assert isinstance(await first(heir), Orphan)
        back = asyncio.create_task(late.run())
        assert await first(late) == Lost("a")
        late.stop()
        await back
        # Nor can it end what is another's.
        await late.finish("a")
        assert await client.xlen(ORDERS) == 1


async def test_a_reply_that_has_ended_is_nobodys(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        one = await silent(client, stack)
        await hold(client, one, "a", "what was asked")
        await hold(client, one, "b", "what was asked next")
        await one.finish("a")
        heir = await living(client, stack, SOON)
        assert await first(heir) == Orphan("b", "what was asked next")


async def test_cancelling_is_told_to_whoever_makes_the_reply(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        making, other = await living(client, stack, NEVER), await living(client, stack, NEVER)
        await hold(client, making, "a", "what was asked")
        assert not await making.is_cancelled("a")
        await other.cancel("a")
        assert await first(making) == Cancelled("a")
        assert await making.is_cancelled("a")
        await other.cancel("nothing")
        assert not await making.is_cancelled("nothing")


async def test_a_note_to_a_process_that_is_gone_does_not_stay(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        gone = StreamReader(client)
        await hold(client, ValkeyClaims(client, gone, NEVER), "a", "what was asked")
        await (await silent(client, stack)).cancel("a")
        assert await client.xlen(inbox_key(gone.replica)) == 1
        assert await client.ttl(inbox_key(gone.replica)) > 0


async def test_an_order_whose_claim_is_forgotten_is_found_all_the_same(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        dead = await silent(client, stack)
        await hold(client, dead, "a", "what was asked")
        await client.delete(claim_key("a"))
        heir = await living(client, stack, SOON)
        assert await first(heir) == Orphan("a", "what was asked")
        await heir.finish("a")
        assert await client.xlen(ORDERS) == 0


async def test_a_server_that_forgot_everything_serves_again(valkey: str) -> None:
    async with a_client(valkey) as client, AsyncExitStack() as stack:
        dead, heir = await silent(client, stack), await living(client, stack, SOON)
        await client.flushall()
        await hold(client, dead, "a", "what was asked")
        assert await first(heir) == Orphan("a", "what was asked")
