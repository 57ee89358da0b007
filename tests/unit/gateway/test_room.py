"""No more replies are made at once than there is room for, of each caller and together, at any gateway."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest
from visavis.rpc.failures import Failure, FailureType

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.event_log import MemoryEventLog
from gateway.reply.ledger import MemoryLedger
from gateway.reply.register import MemoryRegister, Register
from gateway.reply.repeats import MemoryRepeats
from gateway.reply.room import MemoryRoom, Room
from gateway.valkey.connection import Client, connected
from gateway.valkey.room import ValkeyRoom
from tests.fakes.registers import entry, valkey_register

ANN, BOB = Caller("ann", running=2), Caller("bob", running=9)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where replies begin, and where they end."""

    register: Register
    room: Room

    async def enter(self, reply_id: str, caller: Caller) -> None:
        await self.register.enter(entry(reply_id, caller))

    async def leave(self, reply_id: str, caller: Caller) -> None:
        await self.room.leave(reply_id, caller)


def memory_doors(count: int) -> Doors:
    room = MemoryRoom(count)
    return Doors(MemoryRegister(room, MemoryLedger({}), MemoryEventLog(9, 9), MemoryRepeats(9, 9)), room)


def shared_doors(client: Client, count: int, here: int = 1_000, longest_seconds: float = 600) -> Doors:
    room = ValkeyRoom(client, MemoryRoom(here), count, longest_seconds)
    return Doors(valkey_register(client, room=room), room)


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest) -> Callable[[int], Doors]:
    """Gives room for so many replies."""
    if request.param == "memory":
        return memory_doors
    client = request.getfixturevalue("client")
    return lambda count: shared_doors(client, count)


async def refusal(room: Doors, reply_id: str, caller: Caller) -> FailureType:
    with pytest.raises(Failure) as refused:
        await room.enter(reply_id, caller)
    assert refused.value.retry_after_seconds
    return refused.value.type


async def test_a_caller_has_so_many_replies_at_once_whatever_others_have(
    opened: Callable[[int], Doors],
) -> None:
    room = opened(100)
    await room.enter("1", ANN)
    await room.enter("2", ANN)
    assert await refusal(room, "3", ANN) is FailureType.RATE_LIMITED
    await room.enter("4", BOB)
    await room.leave("1", ANN)
    await room.leave("1", ANN)
    await room.enter("3", ANN)


async def test_all_together_have_so_many_replies_at_once(opened: Callable[[int], Doors]) -> None:
    room = opened(3)
    for reply_id in ("1", "2", "3"):
        await room.enter(reply_id, NOBODY_IN_PARTICULAR)
    assert await refusal(room, "4", BOB) is FailureType.BUSY
    assert await refusal(room, "4", NOBODY_IN_PARTICULAR) is FailureType.BUSY
    await room.leave("2", NOBODY_IN_PARTICULAR)
    await room.enter("4", BOB)


async def test_gateways_that_share_a_server_share_the_room(client: Client) -> None:
    replicas = [shared_doors(client, 10, here=8) for _ in range(2)]
    asks = [replicas[number % 2].enter(str(number), NOBODY_IN_PARTICULAR) for number in range(40)]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    assert answers.count(None) == 10
    everybody = [str(number) for number in range(40)]
    await asyncio.gather(*(replicas[0].leave(number, NOBODY_IN_PARTICULAR) for number in everybody))
    for number in range(10):
        await shared_doors(client, 10).enter(f"later {number}", NOBODY_IN_PARTICULAR)


async def test_whoever_is_refused_elsewhere_takes_no_room_here(client: Client) -> None:
    here = MemoryRoom(1)
    room = ValkeyRoom(client, here, 0, longest_seconds=600)
    full = Doors(valkey_register(client, room=room), room)
    assert await refusal(full, "1", ANN) is FailureType.BUSY
    await here.enter("2", ANN)


async def test_what_a_dead_gateway_held_is_free_once_no_reply_can_be_that_old(client: Client) -> None:
    await shared_doors(client, 1, longest_seconds=0).enter("1", ANN)
    await shared_doors(client, 1).enter("2", ANN)
