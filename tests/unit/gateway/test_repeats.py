"""However often and closely together a key comes, its reply begins once, while it is remembered.

In one process, and at all gateways that share a server.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest
from visavis.rpc.failures import Failure

from gateway.reply.event_log import EventLog, MemoryEventLog
from gateway.reply.ledger import MemoryLedger
from gateway.reply.register import MemoryRegister, Register
from gateway.reply.repeats import KeyReused, MemoryRepeats, Repeatable
from gateway.reply.room import MemoryRoom
from gateway.valkey.connection import Client, connected
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.reader import StreamReader
from gateway.valkey.room import ValkeyRoom
from tests.fakes.registers import entry, valkey_register


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def stores(request: pytest.FixtureRequest) -> tuple[Register, EventLog]:
    """Room for three replies."""
    if request.param == "memory":
        log = MemoryEventLog(100, 100)
        return MemoryRegister(MemoryRoom(3), MemoryLedger({}), log, MemoryRepeats(10, 60)), log
    client = request.getfixturevalue("client")
    shared = ValkeyEventLog(client, StreamReader(client), 100, 100, 60)
    room = ValkeyRoom(client, MemoryRoom(100), 3, 600)
    return valkey_register(client, log=shared, room=room), shared


@pytest.fixture
def register(stores: tuple[Register, EventLog]) -> Register:
    return stores[0]


def asked(key: str = "k", digest: str = "d", caller: str = "ann") -> Repeatable:
    return Repeatable(caller, key, digest)


async def begun(register: Register, asked: Repeatable) -> str:
    """Asks for a reply; the id of the one that there is now."""
    return await register.enter(entry(secrets.token_hex(4), asked=asked))


async def test_the_same_key_means_the_same_reply(register: Register) -> None:
    assert await register.known(asked()) is None
    first = await begun(register, asked())
    assert await begun(register, asked()) == first
    assert await register.known(asked()) == first
    others = {await begun(register, asked(key="other")), await begun(register, asked(caller="bob"))}
    assert len(others | {first}) == 3


async def test_another_body_under_the_same_key_is_refused(register: Register) -> None:
    await begun(register, asked())
    with pytest.raises(KeyReused):
        await begun(register, asked(digest="other"))
    with pytest.raises(KeyReused):
        await register.known(asked(digest="other"))


async def test_duplicates_that_come_together_get_one_reply_and_take_no_more_room(register: Register) -> None:
    assert len(set(await asyncio.gather(*(begun(register, asked()) for _ in range(20))))) == 1
    await begun(register, asked("two"))
    await begun(register, asked("three"))
    with pytest.raises(Failure):
        await begun(register, asked("four"))


async def test_a_refused_request_leaves_its_key_free(register: Register) -> None:
    for key in "abc":
        await begun(register, asked(key))
    for _ in range(2):
        with pytest.raises(Failure):
            await begun(register, asked())
    assert await register.known(asked(digest="mended")) is None


async def test_a_reply_that_is_gone_frees_its_key(stores: tuple[Register, EventLog]) -> None:
    register, log = stores
    first = await begun(register, asked())
    await log.remove(first)
    assert await register.known(asked()) is None
    assert await begun(register, asked(digest="mended")) != first


def test_keys_are_forgotten_by_age_and_by_number() -> None:
    now = 0.0
    repeats = MemoryRepeats(2, 60, lambda: now)
    repeats.remember(asked("a"), "1")
    now = 61.0
    assert repeats.find(asked("a")) is None
    for key in "abc":
        repeats.remember(asked(key), key)
    kept = [repeats.find(asked(key)) for key in "abc"]
    assert [known and known.reply_id for known in kept] == [None, "b", "c"]


async def test_duplicates_at_several_gateways_get_one_reply(client: Client) -> None:
    replicas = [valkey_register(client) for _ in range(3)]
    answers = await asyncio.gather(*(begun(replicas[number % 3], asked()) for number in range(12)))
    assert len(set(answers)) == 1


async def test_a_call_that_is_made_again_because_its_answer_was_lost_changes_nothing(client: Client) -> None:
    register = valkey_register(client, room=ValkeyRoom(client, MemoryRoom(9), 1, 600))
    told = entry("a", asked=asked())
    assert await register.enter(told) == "a"
    kept = {key: await client.dump(key) for key in await client.keys("*")}
    assert await register.enter(told) == "a"
    assert {key: await client.dump(key) for key in await client.keys("*")} == kept


async def test_a_server_remembers_no_longer_than_it_should(client: Client) -> None:
    await begun(valkey_register(client, keep_seconds=60), asked())
    (key,) = await client.keys("visavis:repeat:*")
    assert 0 < await client.ttl(key) <= 60


async def test_a_refused_reply_leaves_nothing_behind(client: Client) -> None:
    full = valkey_register(client, room=ValkeyRoom(client, MemoryRoom(9), 0, 600))
    with pytest.raises(Failure):
        await begun(full, asked())
    assert await client.keys("*") == []


async def test_everything_that_is_kept_of_a_reply_goes_by_itself_some_day(client: Client) -> None:
    await begun(valkey_register(client), asked())
    keys = {key for key in await client.keys("*") if await client.ttl(key) < 0}
    # Of all replies together: an entry goes when its reply has ended, or its log is removed.
    assert keys == {b"visavis:orders", b"visavis:replies"}
