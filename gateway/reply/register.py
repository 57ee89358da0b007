"""A reply that is asked for goes in; it is there with all that it needs, or refused, and nothing of it is.

Its room, its tokens of the day's budget, the order in the hands of whoever makes it, the log with its first
event, and the Idempotency-Key that stands for it: these begin in one step, and only then is anybody told of
the reply. A gateway that dies before that step leaves nothing behind. One that dies after it leaves a reply
that another one finds and ends, which gives back what it holds; a client that repeats its request with a key
finds it at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from visavis.rpc.failures import Failure

from gateway.callers import Caller
from gateway.reply.event_log import MemoryEventLog
from gateway.reply.events import Accepted
from gateway.reply.ledger import MemoryLedger, Reservation
from gateway.reply.repeats import KeyReused, MemoryRepeats, Repeatable
from gateway.reply.room import MemoryRoom


@dataclass(frozen=True, slots=True)
class Entry:
    """A reply that is to begin. `record` is what another process would go on from."""

    reply_id: str
    caller: Caller
    reservation: Reservation
    accepted: Accepted
    record: str = field(default="", repr=False)
    asked: Repeatable | None = None


class Register(Protocol):
    """Where replies begin."""

    async def known(self, asked: Repeatable) -> str | None:
        """The id of the reply that a key stands for, as long as that is kept. Raises KeyReused, Failure."""

    async def enter(self, entry: Entry) -> str:
        """Begins the reply; its id, or that of the reply which the key stands for already.

        Raises KeyReused; Failure (rate-limited, busy, site-quota-exhausted, stage-unavailable).
        """


class MemoryRegister:
    """Of this process alone: as nothing here waits, nothing comes in between."""

    def __init__(
        self, room: MemoryRoom, ledger: MemoryLedger, log: MemoryEventLog, repeats: MemoryRepeats
    ) -> None:
        self._room = room
        self._ledger = ledger
        self._log = log
        self._repeats = repeats

    async def known(self, asked: Repeatable) -> str | None:
        """The id of the reply that a key stands for, as long as that is kept. Raises KeyReused."""
        known = self._repeats.find(asked)
        if known is None or not self._log.keeps(known.reply_id):
            return None
        if known.digest != asked.digest:
            raise KeyReused
        return known.reply_id

    async def enter(self, entry: Entry) -> str:
        """Begins the reply; its id, or that of the reply which the key stands for already.

        Raises KeyReused; Failure (rate-limited, busy, site-quota-exhausted).
        """
        if entry.asked is not None and (known := await self.known(entry.asked)) is not None:
            return known
        await self._room.enter(entry.reply_id, entry.caller)
        try:
            self._ledger.reserve(entry.reservation)
        except Failure:
            await self._room.leave(entry.reply_id, entry.caller)
            raise
        await self._log.open(entry.reply_id, entry.caller.name)
        await self._log.append(entry.reply_id, entry.accepted)
        if entry.asked is not None:
            self._repeats.remember(entry.asked, entry.reply_id)
        return entry.reply_id
