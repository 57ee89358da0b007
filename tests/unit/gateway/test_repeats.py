"""However often and however closely together a key comes, its reply is made once, while it is remembered."""

from __future__ import annotations

import asyncio

import pytest

from gateway.reply.repeats import KeyReused, MemoryRepeats, Repeatable


class Maker:
    """Makes replies one, two, three …; waits for its gate first."""

    def __init__(self) -> None:
        self.made = 0
        self.gate = asyncio.Event()
        self.gate.set()
        self.failure: Exception | None = None

    async def __call__(self) -> str:
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        self.made += 1
        return str(self.made)


def asked(key: str = "k", digest: str = "d", caller: str = "ann") -> Repeatable:
    return Repeatable(caller, key, digest)


async def test_the_same_key_means_the_same_reply() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    assert await repeats.once(asked(), make) == ("1", False)
    assert await repeats.once(asked(), make) == ("1", True)
    assert await repeats.once(asked(key="other"), make) == ("2", False)
    assert await repeats.once(asked(caller="bob"), make) == ("3", False)


async def test_another_body_under_the_same_key_is_refused_even_while_the_first_is_being_made() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    make.gate.clear()
    first = asyncio.create_task(repeats.once(asked(), make))
    await asyncio.sleep(0)
    with pytest.raises(KeyReused):
        await repeats.once(asked(digest="other"), make)
    make.gate.set()
    assert await first == ("1", False)


async def test_duplicates_that_come_together_get_one_reply() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    answers = await asyncio.gather(*(repeats.once(asked(), make) for _ in range(20)))
    assert sorted(answers, key=lambda answer: answer[1]) == [("1", False)] + [("1", True)] * 19


async def test_a_refused_request_leaves_its_key_free() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    make.failure = ValueError("refused")
    failures = await asyncio.gather(*(repeats.once(asked(), make) for _ in range(3)), return_exceptions=True)
    assert [type(failure) for failure in failures] == [ValueError] * 3
    make.failure = None
    assert await repeats.once(asked(digest="mended"), make) == ("1", False)


async def test_a_cancelled_request_leaves_its_key_to_the_next() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    make.gate.clear()
    first = asyncio.create_task(repeats.once(asked(), make))
    await asyncio.sleep(0)
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


async def test_only_the_reply_that_is_gone_frees_its_key() -> None:
    repeats, make = MemoryRepeats(10, 60), Maker()
    await repeats.once(asked(), make)
    await repeats.forget(asked(), "another")
    assert await repeats.once(asked(), make) == ("1", True)
    await repeats.forget(asked(), "1")
    assert await repeats.once(asked(), make) == ("2", False)
