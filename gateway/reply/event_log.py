"""Events of a reply go in, the same events come out for any reader, from any position, old and new."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol

from gateway.callers import ANONYMOUS
from gateway.reply.events import Event, LoggedEvent


class UnknownReply(LookupError):
    """No log of that reply is kept here (any more)."""


class LogEnded(Exception):
    """The reply already has its terminal event: nothing may follow it."""


class LogTaken(Exception):
    """Another process makes the reply now: only that one may append."""


class LogFull(Exception):
    """The reply has as many events as are kept; only a terminal one is still taken."""


class EventLog(Protocol):
    """One append-only log per reply. Reading never slows the writer or another reader."""

    async def check(self) -> None:
        """Returns once it has answered. Raises Failure (stage-unavailable) where it is out of reach."""

    async def owner(self, reply_id: str) -> str:
        """The caller who asked for the reply. Raises UnknownReply."""

    async def take(self, reply_id: str) -> int:
        """From now on only this process appends; how many have done so by now. Raises UnknownReply."""

    async def append(self, reply_id: str, event: Event) -> LoggedEvent:
        """Adds an event. Raises UnknownReply, LogEnded, LogFull or LogTaken."""

    async def leave(self, reply_id: str) -> None:
        """This process appends no more."""

    async def read(self, reply_id: str, after: int = 0, wait_seconds: float = 0.0) -> list[LoggedEvent]:
        """Events with ids above `after`; waits up to `wait_seconds` for the first. Raises UnknownReply."""

    async def last(self, reply_id: str) -> LoggedEvent | None:
        """The newest event, None before the first. Raises UnknownReply."""

    async def remove(self, reply_id: str) -> None:
        """Forgets the log; following readers end."""

    async def remove_older(self, seconds: float) -> list[str]:
        """Forgets logs that ended longer ago than `seconds`; their reply ids."""

    async def close(self) -> None:
        """Ends following readers; they find what they missed where they come back."""


@dataclass(slots=True)
class _Log:
    owner: str
    events: list[LoggedEvent] = field(default_factory=list)
    # Set and replaced at every append: each waiting reader wakes once, none is queued for.
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    ended_at: float | None = None
    removed: bool = False


class MemoryEventLog:
    """Keeps logs in this process.

    At most `max_events` per reply, the terminal event not counted, and about `max_replies`: the ones that
    ended first go first, running ones stay.
    """

    def __init__(self, max_events: int, max_replies: int) -> None:
        self._max_events = max_events
        self._max_replies = max_replies
        self._logs: dict[str, _Log] = {}
        self._closed = False

    async def open(self, reply_id: str, owner: str = ANONYMOUS) -> None:
        """Starts an empty log of a reply that this caller asked for."""
        if len(self._logs) >= self._max_replies:
            ended = (known for known, log in self._logs.items() if log.ended_at is not None)
            if (oldest := next(ended, None)) is not None:
                await self.remove(oldest)
        self._logs[reply_id] = _Log(owner)

    def keeps(self, reply_id: str) -> bool:
        """Whether there is a log of that reply."""
        return reply_id in self._logs

    async def check(self) -> None:
        """It is always there."""

    async def take(self, reply_id: str) -> int:
        """Nobody else appends to it anyway. Raises UnknownReply."""
        self._log(reply_id)
        return 1

    async def leave(self, reply_id: str) -> None:
        """Nobody else will either."""

    async def owner(self, reply_id: str) -> str:
        """The caller who asked for the reply. Raises UnknownReply."""
        return self._log(reply_id).owner

    async def append(self, reply_id: str, event: Event) -> LoggedEvent:
        """Adds an event. Raises UnknownReply, LogEnded or LogFull."""
        log = self._log(reply_id)
        if log.ended_at is not None:
            raise LogEnded(reply_id)
        logged = LoggedEvent(len(log.events) + 1, event.event_name, event.data(), time.time())
        if len(log.events) >= self._max_events and not logged.terminal:
            raise LogFull(reply_id)
        log.events.append(logged)
        if logged.terminal:
            log.ended_at = time.monotonic()
        self._wake(log)
        return logged

    async def read(self, reply_id: str, after: int = 0, wait_seconds: float = 0.0) -> list[LoggedEvent]:
        """Events with ids above `after`; waits up to `wait_seconds` for the first. Raises UnknownReply."""
        log = self._log(reply_id)
        if len(log.events) <= after and wait_seconds and log.ended_at is None:
            try:
                async with asyncio.timeout(wait_seconds):
                    while len(log.events) <= after and log.ended_at is None:
                        if log.removed or self._closed:
                            raise UnknownReply(reply_id)
                        await log.grown.wait()
            except TimeoutError:
                return []
        return log.events[after:]

    async def last(self, reply_id: str) -> LoggedEvent | None:
        """The newest event, None before the first. Raises UnknownReply."""
        events = self._log(reply_id).events
        return events[-1] if events else None

    async def remove(self, reply_id: str) -> None:
        """Forgets the log; following readers end."""
        log = self._logs.pop(reply_id, None)
        if log is not None:
            log.removed = True
            self._wake(log)

    async def remove_older(self, seconds: float) -> list[str]:
        """Forgets logs that ended longer ago than `seconds`; their reply ids."""
        before = time.monotonic() - seconds
        old = [
            reply_id
            for reply_id, log in self._logs.items()
            if log.ended_at is not None and log.ended_at < before
        ]
        for reply_id in old:
            await self.remove(reply_id)
        return old

    async def close(self) -> None:
        """Ends following readers."""
        self._closed = True
        for log in self._logs.values():
            self._wake(log)

    def _log(self, reply_id: str) -> _Log:
        try:
            return self._logs[reply_id]
        except KeyError:
            raise UnknownReply(reply_id) from None

    @staticmethod
    def _wake(log: _Log) -> None:
        log.grown.set()
        log.grown = asyncio.Event()


async def followed(
    log: EventLog, reply_id: str, after: int = 0, idle_seconds: float = 15.0
) -> AsyncGenerator[LoggedEvent | None, None]:
    """Every event after `after`, up to the terminal one; None whenever `idle_seconds` pass without one.

    Ends early when the log is removed. Raises UnknownReply where it never existed.
    """
    seen = after
    events = await log.read(reply_id, seen)
    while True:
        for event in events:
            seen = event.id
            yield event
            if event.terminal:
                return
        try:
            events = await log.read(reply_id, seen, idle_seconds)
            last = None if events else await log.last(reply_id)
        except UnknownReply:
            return
        if not events:
            if last is not None and last.terminal and last.id <= seen:
                return
            yield None
