"""News of other processes goes in; replies that they left go on here, from where their logs end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TypeAlias

import structlog
from pydantic import ValidationError
from visavis.rpc.failures import Failure, FailureType

from gateway.media.store import read_all
from gateway.media.wav import HEADER_BYTES
from gateway.problems import problem_of
from gateway.reply import metrics
from gateway.reply.bookkeeping import resumed_journal
from gateway.reply.claims import Cancelled, Lost, News, Orphan
from gateway.reply.event_log import LogEnded, UnknownReply
from gateway.reply.events import Done, LoggedEvent, Usage
from gateway.reply.job import Parting, Task
from gateway.reply.made import Made, made
from gateway.reply.order_record import OrderRecord
from gateway.reply.orders import Order
from gateway.reply.running import RunningReplies
from gateway.reply.workshop import Workshop
from gateway.stages.faces import ChosenAvatar

log = structlog.get_logger()

# The avatar of this id that a caller added, if they did.
OwnAvatar: TypeAlias = Callable[[str, str], Awaitable[ChosenAvatar | None]]

# A reply that so many processes died with may be what they died of.
_MOST_PROCESSES = 5
# A model is asked for the same text no more often.
_MOST_WRITERS = 2


@asynccontextmanager
async def taking_over(
    workshop: Workshop, running: RunningReplies, own_avatar: OwnAvatar
) -> AsyncIterator[None]:
    """Listens until the block ends."""
    successor = _Successor(workshop, running, own_avatar)
    listening = asyncio.create_task(successor.listen())
    try:
        yield
    finally:
        listening.cancel()
        await asyncio.wait({listening})


class _Successor:
    """Goes on with what others left."""

    def __init__(self, workshop: Workshop, running: RunningReplies, own_avatar: OwnAvatar) -> None:
        self._workshop = workshop
        self._running = running
        self._own_avatar = own_avatar

    async def listen(self) -> None:
        """Sees to each piece of news; what goes wrong with one reply concerns no other."""
        async with aclosing(self._workshop.claims.news()) as news, asyncio.TaskGroup() as tasks:
            async for piece in news:
                tasks.create_task(self._see_to(piece))

    async def _see_to(self, news: News) -> None:
        structlog.contextvars.bind_contextvars(reply_id=news.reply_id)
        try:
            match news:
                case Lost(reply_id):
                    await self._running.stop(reply_id, Parting.LOST)
                case Cancelled(reply_id):
                    await self._running.stop(reply_id, Parting.CANCELLED)
                case Orphan():
                    await self._adopt(news)
        except Exception as error:
            # It stays an orphan, for another try.
            await self._workshop.claims.forget(news.reply_id)
            log.error("reply could not be taken over", error=type(error).__name__)  # noqa: TRY400

    async def _adopt(self, orphan: Orphan) -> None:
        reply_id = orphan.reply_id
        # What was lost before, and is still being stopped here.
        await self._running.stop(reply_id, Parting.LOST)
        if self._running.draining:
            await self._workshop.claims.release(reply_id)
            return
        processes, events = await self._taken(reply_id)
        await self._workshop.tickets.drop(reply_id)
        record = _record(orphan, processes)
        if record is None:
            await self._give_up(reply_id)
            return
        if not events or events[-1].terminal:
            await self._clean_up(record, events)
            return
        parts = made(events)
        refusal = _refusal(record, parts, processes)
        order = await self._order(record) if refusal is None else record.order(ChosenAvatar(record.avatar_id))
        journal = resumed_journal(order, self._workshop.log, self._workshop.estimates, parts, record.asked_at)
        if refusal is None and order.request.messages is not None and parts.text_ok is None:
            journal.usage.resumed = 1
        metrics.TAKEN_OVER.inc()
        log.info("reply taken over", processes=processes, events=parts.id)
        self._running.run(Task(order, record.reservation, journal, parts, refusal))
        if await self._workshop.claims.is_cancelled(reply_id):
            await self._running.stop(reply_id, Parting.CANCELLED)

    async def _taken(self, reply_id: str) -> tuple[int, list[LoggedEvent]]:
        """The log, which is this process's now; how many have had it."""
        try:
            return await self._workshop.log.take(reply_id), await self._workshop.log.read(reply_id)
        except UnknownReply:
            return 0, []

    async def _order(self, record: OrderRecord) -> Order:
        avatar = ChosenAvatar(record.avatar_id)
        if record.avatar_hash:
            own = await self._own_avatar(record.caller.name, record.avatar_id)
            avatar = own or ChosenAvatar(record.avatar_id, record.avatar_hash)
        pieces = None
        if record.piece_count is not None:
            names = [f"{index}.wav" for index in range(record.piece_count)]
            pieces = [
                wav[HEADER_BYTES:] for wav in await read_all(self._workshop.media, record.reply_id, names)
            ]
        return record.order(avatar, pieces)

    async def _give_up(self, reply_id: str) -> None:
        """Its end, where not even who asked for it can be read. What it holds is given back by its age."""
        gone = Failure(FailureType.INTERRUPTED, "This reply can no longer be read. Ask again.")
        with suppress(LogEnded, UnknownReply):
            await self._workshop.log.append(reply_id, problem_of(gone))
        await self._workshop.claims.finish(reply_id)

    async def _clean_up(self, record: OrderRecord, events: list[LoggedEvent]) -> None:
        """After a process that died between a reply's end and its own, or of a log that is no longer kept."""
        usage = Usage()
        if not events:
            await self._workshop.log.remove(record.reply_id)
        elif events[-1].type == Done.event_name:
            usage = Usage.model_validate(events[-1].data["usage"])
        await self._workshop.ledger.settle(record.reservation, usage)
        await self._workshop.room.leave(record.reply_id, record.caller)
        await self._workshop.claims.finish(record.reply_id)


def _record(orphan: Orphan, processes: int) -> OrderRecord | None:
    """The order; None where nobody could read it. Raises ValidationError where a newer gateway may yet."""
    try:
        return OrderRecord.model_validate_json(orphan.record)
    except ValidationError:
        if 0 < processes <= _MOST_PROCESSES:
            raise
        return None


def _refusal(record: OrderRecord, parts: Made, processes: int) -> Failure | None:
    """Why nobody can go on with it."""
    text_missing = record.request.messages is not None and parts.text_ok is None
    why = ""
    if text_missing and record.own_key:
        why = "The gateway that wrote this reply is gone, and with it your key, which is never kept."
    elif text_missing and processes > _MOST_WRITERS:
        why = "This reply broke off in the middle of its text twice."
    elif processes > _MOST_PROCESSES:
        why = f"{processes - 1} gateways began this reply and were gone before its end."
    return Failure(FailureType.INTERRUPTED, f"{why} Ask again.") if why else None
