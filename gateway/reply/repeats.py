"""A client's name for a request goes in, once or again; the one reply that was made for it comes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass


class KeyReused(Exception):
    """The key already stands for another request."""


@dataclass(frozen=True, slots=True)
class Repeatable:
    """An Idempotency-Key, whose it is, and a digest of the body it came with."""

    caller: str
    key: str
    digest: str


@dataclass(frozen=True, slots=True)
class Remembered:
    """The digest and the reply of a key, and since when."""

    digest: str
    reply_id: str
    since: float


class MemoryRepeats:
    """Remembers at most `max_keys`, the oldest go first, each for `keep_seconds`."""

    def __init__(
        self, max_keys: int, keep_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._max_keys = max_keys
        self._keep_seconds = keep_seconds
        self._clock = clock
        self._entries: dict[tuple[str, str], Remembered] = {}

    def find(self, asked: Repeatable) -> Remembered | None:
        """What the key stands for."""
        known = self._entries.get((asked.caller, asked.key))
        if known is None or known.since < self._clock() - self._keep_seconds:
            return None
        return known

    def remember(self, asked: Repeatable, reply_id: str) -> None:
        """From now on the key stands for this reply."""
        name = (asked.caller, asked.key)
        self._entries.pop(name, None)
        while len(self._entries) >= self._max_keys:
            del self._entries[next(iter(self._entries))]
        self._entries[name] = Remembered(asked.digest, reply_id, self._clock())
