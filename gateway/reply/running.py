"""Orders go in, running replies come out, each ending in exactly one terminal event, whatever dies."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass

import structlog
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.telemetry import trace_id_of

from gateway.problems import problem_of
from gateway.reply import metrics
from gateway.reply.costs import most_tokens
from gateway.reply.event_log import LogEnded, LogFull, UnknownReply
from gateway.reply.events import Accepted, Done, Event, Problem, ProgressEvent
from gateway.reply.first_state import first_state
from gateway.reply.journal import Journal
from gateway.reply.ledger import Reservation
from gateway.reply.orders import Order
from gateway.reply.pipeline import make_reply
from gateway.reply.progress import Progress
from gateway.reply.workshop import Workshop
from gateway.stages.call import Call

log = structlog.get_logger()


@dataclass(slots=True)
class _Running:
    # Makes the reply; may be cancelled at any time.
    work: asyncio.Task[None]
    # Sees to its end; never cancelled, so that there always is one.
    watch: asyncio.Task[None]
    # The process ends; else it was the client who cancelled.
    interrupted: bool = False


class RunningReplies:
    """All replies that are being made by this process."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._running: dict[str, _Running] = {}
        self.draining = False

    def __contains__(self, reply_id: str) -> bool:
        return reply_id in self._running

    def check_open(self) -> None:
        """Raises Failure where no more replies are taken."""
        if self.draining:
            raise Failure(
                FailureType.STAGE_UNAVAILABLE,
                "This gateway is shutting down. Try again in a moment.",
                retry_after_seconds=2,
            )

    async def start(self, order: Order) -> Accepted:
        """Opens the reply's log and starts work; its first event.

        Raises Failure where there is no room, or the day's budget does not allow it.
        """
        self.check_open()
        await self._shop.room.enter(order.reply_id, order.caller)
        try:
            tokens = most_tokens(order, self._shop.estimates)
            reservation = await self._shop.ledger.reserve(order.reply_id, order.account, tokens)
            return await self._begin(order, reservation)
        except BaseException:
            await self._shop.room.leave(order.reply_id, order.caller)
            raise

    async def _begin(self, order: Order, reservation: Reservation) -> Accepted:
        started = asyncio.get_running_loop().time()
        progress = Progress(
            first_state(order),
            self._shop.estimates,
            lambda: asyncio.get_running_loop().time() - started,
        )
        progress.expect_queue(self._shop.video.seconds_before_next)
        eta = progress.eta()
        accepted = Accepted(
            reply_id=order.reply_id,
            outputs=list(order.request.outputs),
            starts_in_seconds=eta.starts_in_seconds,
            eta_seconds=eta.eta_seconds,
        )
        journal = Journal(order.reply_id, self._shop.log, progress, started)
        try:
            await self._shop.log.open(order.reply_id, order.caller.name)
            await journal.write(accepted)
        except BaseException:
            await self._shop.ledger.settle(reservation, journal.used())
            raise
        self._run(order, reservation, journal, started)
        return accepted

    async def cancel(self, reply_id: str) -> None:
        """Stops a running reply and waits for its terminal event."""
        running = self._running.get(reply_id)
        if running is not None:
            running.work.cancel()
            await asyncio.wait({running.watch})

    async def drain(self, seconds: float) -> None:
        """Takes no more replies, gives running ones `seconds`, then ends them as interrupted."""
        self.draining = True
        await self._ended(seconds)
        for running in self._running.values():
            running.interrupted = True
            running.work.cancel()
        await self._ended(None)

    async def _ended(self, seconds: float | None) -> None:
        if watches := {running.watch for running in self._running.values()}:
            await asyncio.wait(watches, timeout=seconds)

    def _run(self, order: Order, reservation: Reservation, journal: Journal, started: float) -> None:
        settings = self._shop.settings
        call = Call(
            started + settings.reply_seconds,
            order.traceparent,
            settings.patience_seconds,
            journal.progress.wait_in_queue,
            seconds_needed=journal.progress.video_seconds_left,
        )
        work = asyncio.create_task(make_reply(order, self._shop, journal, call))
        watch = asyncio.create_task(self._watched(order, reservation, work, journal, call))
        self._running[order.reply_id] = _Running(work, watch)
        metrics.RUNNING.inc()

    async def _watched(
        self,
        order: Order,
        reservation: Reservation,
        work: asyncio.Task[None],
        journal: Journal,
        call: Call,
    ) -> None:
        structlog.contextvars.bind_contextvars(reply_id=order.reply_id)
        teller = asyncio.create_task(journal.progress.tell(self._tell(order.reply_id)))
        await asyncio.wait({work}, timeout=call.seconds_left)
        expired = not work.done()
        work.cancel()
        teller.cancel()
        await asyncio.wait({work, teller})
        failure = self._failure(work, self._running[order.reply_id], expired=expired)
        if failure is not None:
            terminal: Done | Problem = problem_of(failure, trace_id_of(order.traceparent))
        else:
            terminal = journal.done(cancelled=work.cancelled())
            if not work.cancelled():
                self._shop.estimates.learn_reply(journal.state)
        # First: whoever hears that a reply has ended may ask for the next one, and for what it cost.
        await self._close_account(order, reservation, journal)
        try:
            with suppress(LogEnded, UnknownReply):
                await self._shop.log.append(order.reply_id, terminal)
        finally:
            del self._running[order.reply_id]
            metrics.RUNNING.dec()
        metrics.count_reply(terminal, journal, reservation.account.key)
        log.info("reply ended", event_type=terminal.event_name, **_summary(terminal))

    async def _close_account(self, order: Order, reservation: Reservation, journal: Journal) -> None:
        # A shared store that is out of reach now gives both back when no reply can be that old.
        with suppress(Failure):
            await self._shop.ledger.settle(reservation, journal.used())
        with suppress(Failure):
            await self._shop.room.leave(order.reply_id, order.caller)

    def _failure(self, work: asyncio.Task[None], running: _Running, *, expired: bool) -> Failure | None:
        """Why the reply failed; None where it was completed, or cancelled by its client."""
        if work.cancelled():
            if expired:
                return Failure(
                    FailureType.DEADLINE_EXCEEDED,
                    f"The reply was not finished within {self._shop.settings.reply_seconds:g} seconds.",
                )
            if running.interrupted:
                return Failure(FailureType.INTERRUPTED, "The gateway was shut down. Ask again.")
            return None
        match work.exception():
            case None:
                return None
            case Failure() as failure:
                return failure
            case LogFull():
                return Failure(FailureType.TOO_LONG, "The reply has more events than are kept.")
            case error:
                # The exception's text may quote what a user wrote: only its kind and place go to the log.
                log.error("reply crashed", error=type(error).__name__, at=_place(error))
                return Failure(FailureType.UNKNOWN, "The gateway failed in a way it did not expect.")

    def _tell(self, reply_id: str) -> Callable[[ProgressEvent], Awaitable[None]]:
        async def tell(event: ProgressEvent) -> None:
            # The last room in the log belongs to what a reader cannot do without.
            with suppress(LogFull):
                await self._shop.log.append(reply_id, event)

        return tell


def _summary(terminal: Event) -> dict[str, object]:
    return terminal.model_dump(include={"type", "status", "stage", "usage", "timings"}, exclude_none=True)


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return "" if trace is None else f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
