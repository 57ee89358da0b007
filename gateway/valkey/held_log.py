"""What this process appends to a log goes in; what a server that forgot some of it must be told comes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Self

from gateway.reply.events import Event

_UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Told:
    """An event as the server keeps it."""

    type: str
    json: str

    @classmethod
    def of(cls, event: Event) -> Self:
        """Its name, and its data on one line."""
        return cls(event.event_name, json.dumps(event.data(), ensure_ascii=False, separators=(",", ":")))


@dataclass(slots=True)
class HeldLog:
    """A log that this process may append to, and what it appended: everything after the event `base`."""

    # How many processes have had it, with this one.
    hands: int
    base: int = _UNKNOWN
    told: list[Told] = field(default_factory=list)
    # One append after the other, so that each can be told from those before it.
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    calls: int = 0

    @property
    def last(self) -> int:
        """The id of the newest event that the server must know."""
        return self.base + len(self.told)

    def take(self, told: Told, event_id: int) -> None:
        """The server has this event now."""
        if self.base == _UNKNOWN:
            self.base = event_id - 1
        self.told.append(told)

    def forgotten(self, last: int) -> Iterator[tuple[int, Told]]:
        """What a server that knows no more than the event `last` must be told again, with the old ids."""
        if last < self.base:
            # Of what another process appended, nobody has a copy.
            self.base, self.told = last, []
        return enumerate(self.told[last - self.base :], last + 1)
