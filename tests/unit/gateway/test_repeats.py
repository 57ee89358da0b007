"""However often and closely together a key comes, its reply is made once, while it is remembered.

In one process, and at all gateways that share a server.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from gateway.reply.repeats import KeyReused, MemoryRepeats, Repeatable, Repeats
from gateway.valkey.connection import Client, connected
from gateway.valkey.repeats import ValkeyRepeats


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def repeats(request: pytest.FixtureRequest) -> Repeats:
    if request.param == "memory":
        return MemoryRepeats(10, 60)
    return ValkeyRepeats(request.getfixturevalue("client"), 60)


class Maker:
    """Makes replies one, two, three …; waits for its gate first."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None
        self.asked = asyncio.Event()

    async def __call__(self) -> str:
        self.asked.set()
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.made += 1
        return str(self.made)


def asked(key: str = "k", digest: str = "d", caller: str = "ann") -> Repeatable:
    return Repeatable(caller, key, digest)


async def test_the_same_key_means_the_same_reply(repeats: Repeats) -> None:
    make = Maker()
    assert await repeats.once(asked(), make) == ("1", False)
    assert await repeats.once(asked(), make) == ("1", True)
    assert await repeats.once(asked(key="other"), make) == ("2", False)
    assert await repeats.once(asked(caller="bob"), make) == ("3", False)


async def test_another_body_under_the_same_key_is_refused_even_while_the_first_is_being_made(
    repeats: Repeats,
) -> None:
    make = Maker()
    make.gate.clear()
    first = asyncio.create_task(repeats.once(asked(), make))
    await make.asked.wait()
    with pytest.raises(KeyReused):
        await repeats.once(asked(digest="other"), make)
    make.gate.set()
    assert await first == ("1", False)


async def test_duplicates_that_come_together_get_one_reply(repeats: Repeats) -> None:
    make = Maker()
    answers = await asyncio.gather(*(repeats.once(asked(), make) for _ in range(20)))
    assert sorted(answers, key=lambda answer: answer[1]) == [("1", False)] + [("1", True)] * 19


async def test_a_refused_request_leaves_its_key_free(repeats: Repeats) -> None:
    make = Maker()
    make.failure = ValueError("refused")
    failures = await asyncio.gather(*(repeats.once(asked(), make) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [ValueError] * 3
    make.failure = None
    assert await repeats.once(asked(digest="mended"), make) == ("1", False)


async def test_a_cancelled_request_leaves_its_key_to_the_next(repeats: Repeats) -> None:
    make = Maker()
    make.gate.clear()
    first = asyncio.create_task(repeats.once(asked(), make))
    await make.asked.wait()
    second = asyncio.create_task(repeats.once(asked(), make))
    await asyncio.sleep(0)
    first.cancel()
    make.gate.set()
    assert await second == ("1", False)


async def test_keys_are_forgotten_by_age_and_by_number() -> None:
    now = 0.0
    repeats, make = MemoryRepeats(2, 60, lambda: now), Maker()
    await repeats.once(asked("a"), make)
    now = 61.0
    assert await repeats.once(asked("a"), make) == ("2", False)
    await repeats.once(asked("b"), make)
    await repeats.once(asked("c"), make)
    assert await repeats.once(asked("c"), make) == ("4", True)
    assert await repeats.once(asked("a"), make) == ("5", False)


async def test_only_the_reply_that_is_gone_frees_its_key(repeats: Repeats) -> None:
    make = Maker()
    await repeats.once(asked(), make)
    await repeats.forget(asked(), "another")
    assert await repeats.once(asked(), make) == ("1", True)
    await repeats.forget(asked(), "1")
    assert await repeats.once(asked(), make) == ("2", False)


async def test_duplicates_at_several_gateways_get_one_reply(client: Client) -> None:
    replicas, make = [ValkeyRepeats(client, 60) for _ in range(3)], Maker()
    answers = await asyncio.gather(*(replicas[number % 3].once(asked(), make) for number in range(12)))
    assert sorted(answers, key=lambda answer: answer[1]) == [("1", False)] + [("1", True)] * 11


async def test_what_a_dead_gateway_claimed_is_free_after_a_while(client: Client) -> None:
    dead, heir, make = ValkeyRepeats(client, 60, claim_seconds=0.001), ValkeyRepeats(client, 60), Maker()
    make.gate.clear()
    dying = asyncio.create_task(dead.once(asked(), make))
    await make.asked.wait()
    assert (await heir.once(asked(), Maker()))[1] is False
    dying.cancel()


async def test_a_server_remembers_no_longer_than_it_should(client: Client) -> None:
    repeats, make = ValkeyRepeats(client, keep_seconds=0), Maker()
    assert await repeats.once(asked(), make) == ("1", False)
    assert await repeats.once(asked(), make) == ("2", False)
    assert await client.keys("*") == []
