"""A client's name for a request goes in, once or again; the one reply that was made for it comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol


class KeyReused(Exception):
    """The key already stands for another request."""


@dataclass(frozen=True, slots=True)
class Repeatable:
    """An Idempotency-Key, whose it is, and a digest of the body it came with."""

    caller: str
    key: str
    digest: str


class Repeats(Protocol):
    """Remembers which reply was made for which key."""

    async def once(self, asked: Repeatable, make: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
        """The id of the key's reply, and whether it was made before: `make` runs at most once at a time.

        What `make` raises is raised here, and the key is free again. Raises KeyReused.
        """

    async def forget(self, asked: Repeatable, reply_id: str) -> None:
        """Frees the key of a reply that is gone."""


@dataclass(slots=True)
class _Entry:
    digest: str
    since: float
    reply_id: str | None = None
    settled: asyncio.Event = field(default_factory=asyncio.Event)


class MemoryRepeats:
    """Remembers at most `max_keys`, the oldest go first, each for `keep_seconds`."""

    def __init__(
        self, max_keys: int, keep_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_keys = max_keys
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._entries: dict[tuple[str, str], _Entry] = {}

    async def once(self, asked: Repeatable, make: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
        """The id of the key's reply, and whether it was made before. Raises KeyReused, and as `make` does."""
        name = (asked.caller, asked.key)
        self._drop_old()
        while (known := self._entries.get(name)) is not None:
            if known.digest != asked.digest:
                raise KeyReused
            await known.settled.wait()
            if known.reply_id is not None:
                return known.reply_id, True
        entry = self._entries[name] = _Entry(asked.digest, self._clock())
        try:
            entry.reply_id = await make()
        finally:
            if entry.reply_id is None and self._entries.get(name) is entry:
                del self._entries[name]
            entry.settled.set()
        return entry.reply_id, False

    async def forget(self, asked: Repeatable, reply_id: str) -> None:
        """Frees the key of a reply that is gone."""
        name = (asked.caller, asked.key)
        if (known := self._entries.get(name)) is not None and known.reply_id == reply_id:
            del self._entries[name]

    def _drop_old(self) -> None:
        before = self._clock() - self._keep_seconds
        while self._entries:
            name, oldest = next(iter(self._entries.items()))
            fits = oldest.since >= before and len(self._entries) < self._max_keys
            if fits or not oldest.settled.is_set():
                return
            del self._entries[name]
