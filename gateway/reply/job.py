"""An order and its journal go in; the work on it runs until its terminal event, or until another goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

import structlog
from visavis.rpc.failures import Failure, FailureType

from gateway.reply import metrics
from gateway.reply.ending import failure_of, summary, terminal_event
from gateway.reply.event_log import LogEnded, LogFull, LogTaken, UnknownReply
from gateway.reply.events import ProgressEvent
from gateway.reply.journal import Journal
from gateway.reply.ledger import Reservation
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.reply.pipeline import make_reply
from gateway.reply.workshop import Workshop
from gateway.stages.call import Call

log = structlog.get_logger()

_NOT_OURS = (LogTaken, LogEnded, UnknownReply)


class Parting(Enum):
    """Why a reply is stopped before its end."""

    # By its client: it ends here, well.
    CANCELLED = "cancelled"
    # With this process: it ends here, in an error.
    INTERRUPTED = "interrupted"
    # It goes on in another process, at once or already.
    HANDED_OVER = "handed over"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: `parts` of it are there. `refusal`: why it can only end in an error."""

    order: Order
    reservation: Reservation
    journal: Journal
    parts: Made = field(default_factory=Made)
    refusal: Failure | None = None


class Job:
    """One reply in the making."""

    def __init__(self, task: Task, workshop: Workshop) -> None:
        self.order = task.order
        self.journal = task.journal
        self._task = task
        self._workshop = workshop
        self._parting: Parting | None = None
        self._work: asyncio.Task[None] | None = None
        self._watch: asyncio.Task[None] | None = None

    def start(self, ended: Callable[[], object]) -> None:
        """Begins; calls `ended` when nothing of it runs here any more."""
        settings = self._workshop.settings
        call = Call(
            deadline=self.journal.started + settings.reply_seconds,
            traceparent=self.order.traceparent,
            patience_seconds=settings.patience_seconds,
            queued=self.journal.progress.wait_in_queue,
            work=self.order.reply_id,
            seconds_needed=self.journal.progress.video_seconds_left,
        )
        # Makes the reply; may be cancelled at any time.
        self._work = asyncio.create_task(self._made(call))
        # Sees to its end; never cancelled, so that there always is one.
        self._watch = asyncio.create_task(self._watched(self._work, call))
        self._watch.add_done_callback(lambda _: ended())

    async def ended(self) -> None:
        """Returns when nothing of it runs here any more."""
        assert self._watch is not None
        await asyncio.wait({self._watch})

    async def can_be_left(self) -> None:
        """Returns when another process could go on without a model being paid again, or at the end."""
        written = asyncio.create_task(self.journal.text_there.wait())
        assert self._watch is not None
        try:
            await asyncio.wait({written, self._watch}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            written.cancel()

    async def stop(self, parting: Parting) -> None:
        """Stops the work, unless it has ended already."""
        assert self._work is not None
        if not self._work.done():
            self._parting = self._parting or parting
            self._work.cancel()
        await self.ended()

    async def _made(self, call: Call) -> None:
        if self._task.refusal is not None:
            raise self._task.refusal
        await make_reply(self.order, self._workshop, self.journal, call, self._task.parts)

    async def _watched(self, work: asyncio.Task[None], call: Call) -> None:
        structlog.contextvars.bind_contextvars(reply_id=self.order.reply_id)
        metrics.RUNNING.inc()
        teller = asyncio.create_task(self.journal.progress.tell(self._tell))
        # Telling ends by itself only where that fails: mostly for the reply is no longer this process's.
        await asyncio.wait({work, teller}, timeout=call.seconds_left, return_when=asyncio.FIRST_COMPLETED)
        expired = not work.done() and not teller.done()
        untold = teller.exception() if teller.done() else None
        work.cancel()
        teller.cancel()
        await asyncio.wait({work, teller})
        unmade = None if work.cancelled() else work.exception()
        if isinstance(untold, _NOT_OURS) or isinstance(unmade, LogTaken):
            self._parting = Parting.LOST
        try:
            await self._part(work, self._interruption(untold, expired=expired))
        finally:
            metrics.RUNNING.dec()

    async def _part(self, work: asyncio.Task[None], interruption: Failure | None) -> None:
        reply_id = self.order.reply_id
        if self._parting in (Parting.HANDED_OVER, Parting.LOST):
            await self._workshop.log.leave(reply_id)
        if self._parting is Parting.HANDED_OVER:
            with suppress(Failure):
                # Else it is found a little later.
                await self._workshop.claims.release(reply_id)
        elif self._parting is Parting.LOST:
            await self._workshop.claims.forget(reply_id)
        else:
            await self._end(work, interruption)
            return
        log.info("reply left", parting=self._parting.value)

    def _interruption(self, untold: BaseException | None, *, expired: bool) -> Failure | None:
        if expired:
            return Failure(
                FailureType.DEADLINE_EXCEEDED,
                f"The reply was not finished within {self._workshop.settings.reply_seconds:g} seconds.",
            )
        if untold is not None:
            return failure_of(untold)
        if self._parting is Parting.INTERRUPTED:
            return Failure(FailureType.INTERRUPTED, "The gateway was shut down. Ask again.")
        return None

    async def _end(self, work: asyncio.Task[None], interruption: Failure | None) -> None:
        order, journal = self.order, self.journal
        terminal = terminal_event(order, work, journal, interruption)
        if terminal.event_name == "done" and not work.cancelled() and not self._task.parts.id:
            self._workshop.estimates.learn_reply(journal.state)
        # First: whoever hears that a reply has ended may ask for the next one, and for what it cost.
        await self._close_account()
        try:
            with suppress(LogEnded, UnknownReply):
                await self._workshop.log.append(order.reply_id, terminal)
        except LogTaken:
            await self._workshop.claims.forget(order.reply_id)
            return
        with suppress(Failure):
            # Else another process finds out that it has ended.
            await self._workshop.claims.finish(order.reply_id)
        metrics.count_reply(terminal, journal, self._task.reservation.account.key)
        log.info("reply ended", event_type=terminal.event_name, **summary(terminal))

    async def _close_account(self) -> None:
        # A shared store that is out of reach now gives both back when no reply can be that old.
        with suppress(Failure):
            await self._workshop.ledger.settle(self._task.reservation, self.journal.used())
        with suppress(Failure):
            await self._workshop.room.leave(self.order.reply_id, self.order.caller)

    async def _tell(self, event: ProgressEvent) -> None:
        # The last room in the log belongs to what a reader cannot do without.
        with suppress(LogFull):
            await self._workshop.log.append(self.order.reply_id, event)
