"""What clients hear goes in, now and then a strike comes out.

Between two are so many events, not so many seconds: a slow machine has no worse weather than a fast one.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager


class Peril:
    """Strikes every `events_between` events on average; one strike is over before the next one falls."""

    def __init__(
        self, events_between: float, strike: Callable[[], Awaitable[None]], chance: random.Random
    ) -> None:
        self._chance = chance
        self._events_between = events_between
        self._strike = strike
        self._due = asyncio.Event()
        self._over = False
        self._events_left = self._drawn()
        self.strikes = 0

    def take_event(self) -> None:
        """A client has heard one more."""
        self._events_left -= 1
        if self._events_left <= 0:
            self._events_left = self._drawn()
            self._due.set()

    async def rage(self) -> None:
        """Until it is told to cease."""
        while not self._over:
            await self._due.wait()
            self._due.clear()
            if not self._over:
                await self._strike()
                self.strikes += 1

    def cease(self) -> None:
        """A strike that has begun is carried out."""
        self._over = True
        self._due.set()

    def _drawn(self) -> float:
        return self._chance.expovariate(1 / self._events_between)


@asynccontextmanager
async def raging(perils: Sequence[Peril]) -> AsyncIterator[None]:
    """They strike until the block ends."""
    tasks = [asyncio.create_task(peril.rage()) for peril in perils]
    try:
        yield
    finally:
        for peril in perils:
            peril.cease()
        await asyncio.gather(*tasks)
