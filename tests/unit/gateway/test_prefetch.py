"""Work runs ahead of who takes it, up to a bound, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.reply.prefetch import ahead, side_by_side


class Source:
    """Counts what it made; never ends by itself where `endless`."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.made = 0
        self.closed = False
        self._count = count
        self._error = error

    async def items(self) -> AsyncGenerator[int, None]:
        try:
            for number in range(self._count):
                self.made += 1
                yield number
            if self._error is not None:
                raise self._error
        finally:
            self.closed = True


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_items_come_in_order() -> None:
    assert [item async for item in ahead(Source(100).items(), 3)] == list(range(100))


async def test_it_runs_ahead_up_to_its_bound() -> None:
    source = Source(100)
    async with aclosing(ahead(source.items(), 3)) as items:
        await anext(items)
        await settled()
        # One taken, three waiting, one made that finds no room.
        assert source.made == 5


async def test_an_error_comes_after_what_was_made_before_it() -> None:
    taken = []
    with pytest.raises(ValueError, match="broke"):
        async for item in ahead(Source(5, ValueError("broke")).items(), 2):
            taken.append(item)  # noqa: PERF401
    assert taken == [0, 1, 2, 3, 4]


async def test_closing_it_closes_the_source() -> None:
    source = Source(100)
    async with aclosing(ahead(source.items(), 3)) as items:
        await anext(items)
    assert source.closed


async def test_cancelling_the_consumer_closes_the_source() -> None:
    source = Source(2)
    begun = asyncio.Event()

    async def stalled() -> AsyncGenerator[int, None]:
        async with aclosing(source.items()) as items:
            async for item in items:
                yield item
                begun.set()
                await asyncio.Event().wait()

    async def consume() -> None:
        async with aclosing(ahead(stalled(), 1)) as items:
            async for _ in items:
                pass

    task = asyncio.create_task(consume())
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.closed


class Renders:
    """Work on numbers that goes on when it is let; knows how much is under way."""

    def __init__(self) -> None:
        self.under_way: set[int] = set()
        self.begun: list[int] = []
        self.go_on: dict[int, asyncio.Event] = {}

    async def of(self, number: int) -> AsyncGenerator[str, None]:
        self.under_way.add(number)
        self.begun.append(number)
        try:
            yield f"{number}a"
            await self.go_on.setdefault(number, asyncio.Event()).wait()
            yield f"{number}b"
        finally:
            self.under_way.discard(number)


async def flat(made: AsyncGenerator[AsyncGenerator[str, None], None]) -> list[str]:
    return [item async for items in made async for item in items]


async def test_as_many_jobs_as_allowed_are_made_at_once_and_taken_in_order() -> None:
    renders = Renders()
    taking = asyncio.create_task(flat(side_by_side(Source(4).items(), renders.of, 2)))
    await settled()
    assert renders.under_way == {0, 1}
    # The later one ends first: the next may begin, and what it made waits for its turn.
    renders.go_on[1].set()
    await settled()
    assert renders.under_way == {0, 2}
    for number in (0, 2, 3):
        renders.go_on.setdefault(number, asyncio.Event()).set()
    assert await taking == [f"{number}{part}" for number in range(4) for part in "ab"]


async def test_a_job_that_breaks_breaks_in_its_turn() -> None:
    async def make(number: int) -> AsyncGenerator[int, None]:
        yield number
        if number == 1:
            raise ValueError("broke")

    taken = []
    with pytest.raises(ValueError, match="broke"):
        async for items in side_by_side(Source(5).items(), make, 3):
            taken += [item async for item in items]
    assert taken == [0]


async def test_leaving_closes_all_that_is_under_way() -> None:
    source, renders = Source(100), Renders()
    async with aclosing(side_by_side(source.items(), renders.of, 3)) as made:
        async with aclosing(await anext(made)) as items:
            await anext(items)
        await settled()
        assert len(renders.under_way) == 3
    assert renders.under_way == set()
    assert source.closed
