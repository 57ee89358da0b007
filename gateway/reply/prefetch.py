"""An async generator goes in, its items come out while the next ones are being made, up to a bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class _Made(Generic[Item]):
    item: Item


@dataclass(frozen=True, slots=True)
class _Ended:
    error: Exception | None


async def ahead(source: AsyncGenerator[Item, None], bound: int) -> AsyncGenerator[Item, None]:
    """Runs `source` in a task of its own, at most `bound` items ahead of the consumer.

    What `source` raises is raised here, after the items that came before it. Closing this closes `source`.
    """
    queue: asyncio.Queue[_Made[Item] | _Ended] = asyncio.Queue(bound)

    async def fill() -> None:
        try:
            async with aclosing(source) as items:
                async for item in items:
                    await queue.put(_Made(item))
        except Exception as error:
            await queue.put(_Ended(error))
        else:
            await queue.put(_Ended(None))

    task = asyncio.create_task(fill())
    try:
        while isinstance(taken := await queue.get(), _Made):
            yield taken.item
        if taken.error is not None:
            raise taken.error
    finally:
        task.cancel()
        await asyncio.wait({task})
