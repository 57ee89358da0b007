"""Renders that want to begin go in; as many as there are slots begin, others hear when to try again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from visavis.rpc.failures import Failure, FailureType

from services.lipsync.timings import RENDERING

_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.1, 5.0


@dataclass(slots=True)
class Slot:
    """One running render and how long it will probably take from here."""

    seconds_left: float


class Slots:
    """Belongs to one event loop."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._taken: list[Slot] = []
        self._all_free = asyncio.Event()
        self._all_free.set()

    @contextmanager
    def taken(self, seconds: float) -> Iterator[Slot]:
        """A slot for the length of the block, for a render of about `seconds`.

        Raises:
            Failure: busy, with the time until a slot is probably free.
        """
        if len(self._taken) >= self._count:
            wait = min(slot.seconds_left for slot in self._taken)
            raise Failure(
                FailureType.BUSY,
                f"All {self._count} render slots of this worker are taken.",
                retry_after_seconds=min(max(wait, _SHORTEST_WAIT_SECONDS), _LONGEST_WAIT_SECONDS),
            )
        slot = Slot(seconds)
        self._taken.append(slot)
        self._all_free.clear()
        try:
            with RENDERING.track_inprogress():
                yield slot
        finally:
            self._taken.remove(slot)
            if not self._taken:
                self._all_free.set()

    async def all_free(self) -> None:
        """Returns when no slot is taken."""
        await self._all_free.wait()
