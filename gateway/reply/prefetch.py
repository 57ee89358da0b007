"""An async generator goes in, its items come out while the next ones are being made, up to a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
Job = TypeVar("Job")


@dataclass(frozen=True, slots=True)
class _Made(Generic[Item]):
    item: Item


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None


class _Making(Generic[Item]):
    """A generator that runs in a task of its own, at most `bound` items ahead of who takes them (0: any)."""

    def __init__(self, source: AsyncGenerator[Item, None], bound: int) -> None:
        self._source = source
        self._queue: asyncio.Queue[_Made[Item] | _Ended] = asyncio.Queue(bound)
        self.task = asyncio.create_task(self._fill())

    async def items(self) -> AsyncGenerator[Item, None]:
        """What was made; then raises what the generator raised."""
        while isinstance(taken := await self._queue.get(), _Made):
            yield taken.item
        if taken.error is not None:
            raise taken.error

    async def stop(self) -> None:
        """Closes the generator."""
        self.task.cancel()
        await asyncio.wait({self.task})

    async def _fill(self) -> None:
        try:
            async with aclosing(self._source) as items:
                async for item in items:
                    await self._queue.put(_Made(item))
        except Exception as error:
            await self._queue.put(_Ended(error))
        else:
            await self._queue.put(_Ended(None))


async def ahead(source: AsyncGenerator[Item, None], bound: int) -> AsyncGenerator[Item, None]:
    """Runs `source` in a task of its own, at most `bound` items ahead of the consumer.

    What `source` raises is raised here, after the items that came before it. Closing this closes `source`.
    """
    making = _Making(source, bound)
    try:
        async with aclosing(making.items()) as items:
            async for item in items:
                yield item
    finally:
        await making.stop()


async def side_by_side(
    jobs: AsyncGenerator[Job, None], make: Callable[[Job], AsyncGenerator[Item, None]], at_once: int
) -> AsyncGenerator[AsyncGenerator[Item, None], None]:
    """What is made of each job, in the order of the jobs; up to `at_once` are being made at the same time.

    What is made is kept until it is taken, of at most twice as many jobs. Closing this closes everything.
    """
    places = asyncio.Semaphore(at_once)
    begun: list[_Making[Item]] = []

    async def begin() -> AsyncGenerator[_Making[Item], None]:
        async with aclosing(jobs) as waiting:
            async for job in waiting:
                await places.acquire()
                making = _Making(make(job), 0)
                making.task.add_done_callback(lambda _: places.release())
                begun.append(making)
                yield making

    try:
        async with aclosing(ahead(begin(), at_once)) as makings:
            async for making in makings:
                yield making.items()
                begun.remove(making)
    finally:
        for making in begun:
            await making.stop()
