"""Work runs ahead of who takes it, up to a bound, and ends with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from gateway.reply.prefetch import ahead


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
