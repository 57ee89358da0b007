"""No more replies are made at once than there is room for, of each caller and together, at any gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

import pytest
from visavis.rpc.failures import Failure, FailureType

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.room import MemoryRoom, Room
from gateway.valkey.connection import Client, connected
from gateway.valkey.room import ValkeyRoom

ANN, BOB = Caller("ann", running=2), Caller("bob", running=9)
Opened: TypeAlias = Callable[[int], Room]


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Opened:
    """Gives room for so many replies."""
    if request.param == "memory":
        return MemoryRoom
    client = request.getfixturevalue("client")
    return lambda count: ValkeyRoom(client, MemoryRoom(1_000), count, longest_seconds=600)


async def refusal(room: Room, reply_id: str, caller: Caller) -> FailureType:
    with pytest.raises(Failure) as refused:
        await room.enter(reply_id, caller)
    assert refused.value.retry_after_seconds
    return refused.value.type


async def test_a_caller_has_so_many_replies_at_once_whatever_others_have(opened: Opened) -> None:
    room = opened(100)
    await room.enter("1", ANN)
    await room.enter("2", ANN)
    assert await refusal(room, "3", ANN) is FailureType.RATE_LIMITED
    await room.enter("4", BOB)
    await room.leave("1", ANN)
    await room.leave("1", ANN)
    await room.enter("3", ANN)


async def test_all_together_have_so_many_replies_at_once(opened: Opened) -> None:
    room = opened(3)
    for reply_id in ("1", "2", "3"):
        await room.enter(reply_id, NOBODY_IN_PARTICULAR)
    assert await refusal(room, "4", BOB) is FailureType.BUSY
    assert await refusal(room, "4", NOBODY_IN_PARTICULAR) is FailureType.BUSY
    await room.leave("2", NOBODY_IN_PARTICULAR)
    await room.enter("4", BOB)


async def test_a_reply_that_is_taken_over_takes_no_more_room(opened: Opened) -> None:
    room = opened(2)
    for _ in range(5):
        await room.enter("1", ANN)
    await room.enter("2", ANN)


async def test_gateways_that_share_a_server_share_the_room(client: Client) -> None:
    replicas = [ValkeyRoom(client, MemoryRoom(8), 10, longest_seconds=600) for _ in range(2)]
    asks = [replicas[number % 2].enter(str(number), NOBODY_IN_PARTICULAR) for number in range(40)]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    assert answers.count(None) == 10
    everybody = [str(number) for number in range(40)]
    await asyncio.gather(*(replicas[0].leave(number, NOBODY_IN_PARTICULAR) for number in everybody))
    for number in everybody[:10]:
        await ValkeyRoom(client, MemoryRoom(10), 10, longest_seconds=600).enter(number, NOBODY_IN_PARTICULAR)


async def test_whoever_is_refused_elsewhere_takes_no_room_here(client: Client) -> None:
    here = MemoryRoom(1)
    full = ValkeyRoom(client, here, 0, longest_seconds=600)
    assert await refusal(full, "1", ANN) is FailureType.BUSY
    await here.enter("2", ANN)


async def test_what_a_dead_gateway_held_is_free_once_no_reply_can_be_that_old(client: Client) -> None:
    await ValkeyRoom(client, MemoryRoom(1), 1, longest_seconds=0).enter("1", ANN)
    await ValkeyRoom(client, MemoryRoom(1), 1, longest_seconds=600).enter("2", ANN)
