"""Events of a reply go in, the same events come out in every process that shares the server.

Each reply has a stream, whose entries are its events, and a hash that says who may append. Appending is one
step on the server: ids have no gaps, and nothing follows the terminal event, whoever tries. A server that
forgot the newest events (it failed over, or its machine died) is told them again, by whoever appended them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

import structlog

from gateway.reply.event_log import LogEnded, LogFull, LogTaken, UnknownReply
from gateway.reply.events import TERMINAL, Event, LoggedEvent
from gateway.valkey.answering import NO_ANSWER, answering
from gateway.valkey.connection import Client
from gateway.valkey.held_log import HeldLog, Told
from gateway.valkey.keys import REPLIES, events_key, log_key
from gateway.valkey.reader import StreamReader, logged_event
from gateway.valkey.scripts import Part, script

log = structlog.get_logger()

# Keys outlive what sweeps them.
_MARGIN_SECONDS = 24 * 3600
_FAREWELL_SECONDS = 60
_OVERTAKEN_SECONDS = 0.05
_REFUSALS: dict[bytes, Callable[[str], Exception]] = {
    b"unknown": UnknownReply,
    b"taken": LogTaken,
    b"ended": LogEnded,
    b"full": LogFull,
}


class ValkeyEventLog:
    """Keeps logs for all processes, within bounds as in memory.

    Where nobody sweeps, logs go by themselves a day after `keep_seconds`.
    """

    def __init__(
        self, client: Client, reader: StreamReader, max_events: int, max_replies: int, keep_seconds: float
    ) -> None:
        self._client = client
        self._reader = reader
        self._max_events = max_events
        self._max_replies = max_replies
        self._expiry_seconds = int(keep_seconds) + _MARGIN_SECONDS
        self._held: dict[str, HeldLog] = {}
        self._append = script(client, "log_append")
        self._take = script(client, "log_take")
        self._remove = script(client, "log_remove")

    def begun(self, reply_id: str, owner: str, first: Event) -> Part:
        """The log of a reply that this caller asked for begins with this event."""
        return Part(
            [log_key(reply_id), events_key(reply_id), REPLIES],
            [owner, self._writer(1), *astuple(Told.of(first)), self._expiry_seconds],
        )

    def holds(self, reply_id: str, first: Event) -> None:
        """This process has begun the log."""
        self._held[reply_id] = HeldLog(hands=1, base=0, told=[Told.of(first)])

    async def leave(self, reply_id: str) -> None:
        """This process appends no more."""
        self._held.pop(reply_id, None)

    async def take(self, reply_id: str) -> int:
        """From now on only this process appends; how many have done so by now. Raises UnknownReply."""
        with answering():
            hands = await self._take([log_key(reply_id)], [self._reader.replica])
        if not hands:
            raise UnknownReply(reply_id)
        self._held[reply_id] = HeldLog(hands)
        return int(hands)

    async def check(self) -> None:
        """Returns once the server has answered. Raises Failure (stage-unavailable) where it does not."""
        with answering():
            await self._client.ping()

    async def owner(self, reply_id: str) -> str:
        """The caller who asked for the reply. Raises UnknownReply."""
        with answering():
            owner = await self._client.hget(log_key(reply_id), "owner")
        if owner is None:
            raise UnknownReply(reply_id)
        return _text(owner)

    async def append(self, reply_id: str, event: Event) -> LoggedEvent:
        """Adds an event. Raises UnknownReply, LogEnded, LogFull or LogTaken.

        LogTaken too where the server is out of reach: whoever reaches it may have taken the log by then.
        """
        # Once begun it is done: whoever is cancelled meanwhile must not leave it open whether it was.
        appending = asyncio.ensure_future(self._appended(reply_id, event))
        appending.add_done_callback(_take_note)
        return await asyncio.shield(appending)

    async def _appended(self, reply_id: str, event: Event) -> LoggedEvent:
        held = self._held.get(reply_id) or HeldLog(0)
        told = Told.of(event)
        async with held.turn:
            answer = await self._answer(reply_id, held, told, held.last)
            while answer[0] == b"behind":
                await self._tell_again(reply_id, held, answer[1])
                answer = await self._answer(reply_id, held, told, held.last)
            _check(reply_id, answer)
            event_id, milliseconds = answer
            held.take(told, event_id)
        if event.event_name in TERMINAL:
            self._held.pop(reply_id, None)
        return LoggedEvent(event_id, event.event_name, event.data(), milliseconds / 1000)

    async def _tell_again(self, reply_id: str, held: HeldLog, last: int) -> None:
        """What the server has forgotten, which knows no more than the event `last`."""
        log.warning("valkey has forgotten events", count=held.last - last)
        for event_id, told in held.forgotten(last):
            _check(reply_id, await self._answer(reply_id, held, told, event_id - 1))

    async def _answer(self, reply_id: str, held: HeldLog, told: Told, after: int) -> list[Any]:
        held.calls += 1
        writer = self._writer(held.hands)
        try:
            answer: list[Any] = await self._append(
                [log_key(reply_id), events_key(reply_id), REPLIES],
                [
                    reply_id,
                    writer,
                    f"{writer}.{held.calls}",
                    told.type,
                    told.json,
                    int(told.type in TERMINAL),
                    self._max_events,
                    self._expiry_seconds,
                    after,
                ],
            )
        except NO_ANSWER as error:
            log.error("event could not be appended", error=type(error).__name__)  # noqa: TRY400
            return [b"taken"]
        return answer

    async def read(self, reply_id: str, after: int = 0, wait_seconds: float = 0.0) -> list[LoggedEvent]:
        """Events with ids above `after`; waits up to `wait_seconds` for the first. Raises UnknownReply."""
        while not (wait_seconds and self._reader.follows(reply_id, after)):
            with answering():
                async with self._client.pipeline(transaction=True) as pipeline:
                    pipeline.hmget(log_key(reply_id), ["last", "ended"])
                    pipeline.xrange(events_key(reply_id), min=f"{after + 1}-0")
                    (last, ended), entries = await pipeline.execute()
            if last is None:
                raise UnknownReply(reply_id)
            if entries or ended or not wait_seconds:
                return [logged_event(entry_id, fields) for entry_id, fields in entries]
            with answering():
                await self._reader.follow(reply_id, int(last))
            if not self._reader.follows(reply_id, after):
                # Another reader was first, and follows it from an event on that came after this answer.
                await asyncio.sleep(_OVERTAKEN_SECONDS)
        return await self._reader.later(reply_id, after, wait_seconds)

    async def last(self, reply_id: str) -> LoggedEvent | None:
        """The newest event, None before the first. Raises UnknownReply."""
        with answering():
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.exists(log_key(reply_id))
                pipeline.xrevrange(events_key(reply_id), count=1)
                known, entries = await pipeline.execute()
        if not known:
            raise UnknownReply(reply_id)
        return logged_event(*entries[0]) if entries else None

    async def remove(self, reply_id: str) -> None:
        """Forgets the log; following readers end."""
        self._held.pop(reply_id, None)
        keys = [log_key(reply_id), events_key(reply_id), REPLIES]
        with answering():
            await self._remove(keys, [reply_id, _FAREWELL_SECONDS])

    async def remove_older(self, seconds: float) -> list[str]:
        """Forgets logs that ended longer ago than `seconds`; their reply ids."""
        before = (time.time() - seconds) * 1000
        old = [_text(name) for name in await self._client.zrangebyscore(REPLIES, "-inf", before)]
        for reply_id in old:
            await self.remove(reply_id)
        return old

    async def close(self) -> None:
        """Sends waiting readers away: another process will serve them."""
        self._reader.close()

    async def make_room(self) -> None:
        """The replies that ended first go, beyond the bound; running ones stay."""
        if await self._client.zcard(REPLIES) < self._max_replies:
            return
        for reply_id in await self._client.zrange(REPLIES, "-inf", "(inf", byscore=True, offset=0, num=1):
            await self.remove(_text(reply_id))

    def _writer(self, hands: int) -> str:
        return f"{self._reader.replica}.{hands}"


def _take_note(appending: asyncio.Future[LoggedEvent]) -> None:
    """Of what became of it, where whoever wanted to know was cancelled."""
    if not appending.cancelled():
        appending.exception()


def _check(reply_id: str, answer: Sequence[Any]) -> None:
    if answer[0] in _REFUSALS:
        raise _REFUSALS[answer[0]](reply_id)


def _text(answer: object) -> str:
    """Answers are bytes; the client's types do not say so."""
    assert isinstance(answer, bytes)
    return answer.decode()
