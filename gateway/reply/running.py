"""Orders go in, running replies come out, each ending in exactly one terminal event, whatever dies."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import structlog
from visavis.rpc.failures import Failure, FailureType

from gateway.media.timeline import SPEECH_RATE_HZ
from gateway.media.wav import wav_header
from gateway.reply.bookkeeping import new_journal
from gateway.reply.costs import most_tokens
from gateway.reply.event_log import LogTaken, UnknownReply
from gateway.reply.events import Accepted
from gateway.reply.job import Job, Parting, Task
from gateway.reply.ledger import Reservation
from gateway.reply.order_record import OrderRecord
from gateway.reply.orders import Order
from gateway.reply.workshop import Workshop

log = structlog.get_logger()

_RETRY_SECONDS = 2.0
# Beyond the time that it takes to find out that a process is dead.
_CANCEL_SECONDS = 10.0


class RunningReplies:
    """All replies that are being made by this process."""

    def __init__(self, workshop: Workshop) -> None:
        self._shop = workshop
        self._jobs: dict[str, Job] = {}
        self.draining = False

    def __contains__(self, reply_id: str) -> bool:
        return reply_id in self._jobs

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
            # A store that cannot be told so now gives it back when no reply can be that old.
            with suppress(Failure):
                await self._shop.room.leave(order.reply_id, order.caller)
            raise

    async def _begin(self, order: Order, reservation: Reservation) -> Accepted:
        journal = new_journal(order, self._shop.log, self._shop.estimates)
        journal.progress.expect_queue(self._shop.video.seconds_before_next)
        journal.progress.expect_starts(self._shop.sleepers.asleep)
        eta = journal.progress.eta()
        accepted = Accepted(
            reply_id=order.reply_id,
            outputs=list(order.request.outputs),
            starts_in_seconds=eta.starts_in_seconds,
            eta_seconds=eta.eta_seconds,
        )
        try:
            await self._make_known(order, reservation)
            await self._shop.log.open(order.reply_id, order.caller.name)
            await journal.write(accepted)
        except BaseException as error:
            with suppress(Failure):
                await self._shop.ledger.settle(reservation, journal.used())
                await self._shop.claims.finish(order.reply_id)
            if isinstance(error, LogTaken):
                raise Failure(
                    FailureType.STAGE_UNAVAILABLE,
                    "The reply could not be begun: its log is out of reach. Try again in a moment.",
                    retry_after_seconds=_RETRY_SECONDS,
                ) from None
            raise
        self.run(Task(order, reservation, journal))
        return accepted

    async def _make_known(self, order: Order, reservation: Reservation) -> None:
        """What another process needs to go on is kept before the reply is known to anyone."""
        if not self._shop.claims.shared:
            return
        for index, piece in enumerate(order.pieces or ()):
            wav = wav_header(SPEECH_RATE_HZ, len(piece)) + piece
            await self._shop.media.write(order.reply_id, f"{index}.wav", wav)
        record = OrderRecord.of(order, reservation).model_dump_json()
        await self._shop.claims.hold(order.reply_id, record)

    def run(self, task: Task) -> None:
        """Works on it until it ends, or is left to another process."""
        reply_id = task.order.reply_id
        job = self._jobs[reply_id] = Job(task, self._shop)
        job.start(lambda: self._jobs.pop(reply_id))

    async def cancel(self, reply_id: str) -> bool:
        """Stops a reply, wherever it runs, and waits for its terminal event; whether it was running."""
        job = self._jobs.get(reply_id)
        if job is not None:
            await job.stop(Parting.CANCELLED)
        if not await self._is_running(reply_id):
            return job is not None
        await self._shop.claims.cancel(reply_id)
        await self._ended_elsewhere(reply_id)
        return True

    async def _is_running(self, reply_id: str) -> bool:
        try:
            last = await self._shop.log.last(reply_id)
        except UnknownReply:
            return False
        return last is None or not last.terminal

    async def _ended_elsewhere(self, reply_id: str) -> None:
        seen = 0
        with suppress(TimeoutError, UnknownReply):
            async with asyncio.timeout(self._shop.settings.takeover_seconds * 2 + _CANCEL_SECONDS):
                while True:
                    for event in await self._shop.log.read(reply_id, seen, _CANCEL_SECONDS):
                        seen = event.id
                        if event.terminal:
                            return

    async def stop(self, reply_id: str, parting: Parting) -> None:
        """Stops what runs here, if it does."""
        if (job := self._jobs.get(reply_id)) is not None:
            await job.stop(parting)

    async def drain(self, seconds: float) -> None:
        """Takes no more replies; the running ones end, or pass to other processes.

        Where there can be others, they pass on as soon as no model has to be paid again, at the latest after
        `seconds`. Where not, or where nobody else has the caller's key, they are interrupted then.
        """
        self.draining = True
        jobs = list(self._jobs.values())
        if jobs:
            await asyncio.wait([asyncio.create_task(self._part(job, seconds)) for job in jobs])

    async def _part(self, job: Job, seconds: float) -> None:
        shared = self._shop.claims.shared
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (job.can_be_left() if shared else job.ended())
        leave = shared and (job.journal.text_there.is_set() or not job.order.caller_key)
        await job.stop(Parting.HANDED_OVER if leave else Parting.INTERRUPTED)
