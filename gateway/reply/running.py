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
from gateway.reply.event_log import UnknownReply
from gateway.reply.events import Accepted
from gateway.reply.job import Job, Parting, Task
from gateway.reply.journal import Journal
from gateway.reply.order_record import OrderRecord
from gateway.reply.orders import Order
from gateway.reply.register import Entry
from gateway.reply.repeats import KeyReused, Repeatable
from gateway.reply.workshop import Workshop

log = structlog.get_logger()

# Beyond the time that it takes to find out that a process is dead.
_CANCEL_SECONDS = 10.0


class RunningReplies:
    """All replies that are being made by this process."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
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

    async def start(self, order: Order, asked: Repeatable | None = None) -> str:
        """Begins the reply and starts work on it; its id, or that of the one that `asked` stands for already.

        Raises KeyReused; Failure where there is no room, or the day's budget does not allow it.
        """
        self.check_open()
        journal = new_journal(order, self._workshop.log, self._workshop.estimates)
        journal.progress.expect_queue(self._workshop.video.seconds_before_next)
        journal.progress.expect_starts(self._workshop.sleepers.asleep)
        tokens = most_tokens(order, self._workshop.estimates)
        reservation = self._workshop.ledger.reservation(order.reply_id, order.account, tokens)
        accepted = _accepted(order, journal)
        record = OrderRecord.of(order, reservation).model_dump_json()
        entry = Entry(order.reply_id, order.caller, reservation, accepted, record, asked)
        await self._store_pieces(order)
        try:
            reply_id = await self._workshop.register.enter(entry)
        except (Failure, KeyReused) as refusal:
            # A server that did not answer may have begun it.
            if isinstance(refusal, KeyReused) or refusal.type is not FailureType.STAGE_UNAVAILABLE:
                await self._remove_pieces(order)
            raise
        if reply_id == order.reply_id:
            journal.tell(accepted)
            self.run(Task(order, reservation, journal))
        else:
            await self._remove_pieces(order)
        return reply_id

    async def _store_pieces(self, order: Order) -> None:
        """Uploaded speech is there for whoever goes on, before the reply is."""
        if not self._workshop.claims.shared:
            return
        for index, piece in enumerate(order.pieces or ()):
            wav = wav_header(SPEECH_RATE_HZ, len(piece)) + piece
            await self._workshop.media.write(order.reply_id, f"{index}.wav", wav)

    async def _remove_pieces(self, order: Order) -> None:
        if self._workshop.claims.shared and order.pieces:
            # What cannot be removed now goes by its age.
            with suppress(Failure):
                await self._workshop.media.remove(order.reply_id)

    def run(self, task: Task) -> None:
        """Works on it until it ends, or is left to another process."""
        reply_id = task.order.reply_id
        job = self._jobs[reply_id] = Job(task, self._workshop)
        job.start(lambda: self._forget(reply_id, job))

    def _forget(self, reply_id: str, job: Job) -> None:
        if self._jobs.get(reply_id) is job:
            del self._jobs[reply_id]

    async def cancel(self, reply_id: str) -> bool:
        """Stops a reply, wherever it runs, and waits for its terminal event; whether it was running."""
        job = self._jobs.get(reply_id)
        if job is not None:
            await job.stop(Parting.CANCELLED)
        if not await self._is_running(reply_id):
            return job is not None
        await self._workshop.claims.cancel(reply_id)
        await self._ended_elsewhere(reply_id)
        return True

    async def _is_running(self, reply_id: str) -> bool:
        try:
            last = await self._workshop.log.last(reply_id)
        except UnknownReply:
            return False
        return last is None or not last.terminal

    async def _ended_elsewhere(self, reply_id: str) -> None:
        seen = 0
        with suppress(TimeoutError, UnknownReply):
            async with asyncio.timeout(self._workshop.settings.takeover_seconds * 2 + _CANCEL_SECONDS):
                while True:
                    for event in await self._workshop.log.read(reply_id, seen, _CANCEL_SECONDS):
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
        shared = self._workshop.claims.shared
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await (job.can_be_left() if shared else job.ended())
        leave = shared and (job.journal.text_there.is_set() or not job.order.caller_key)
        await job.stop(Parting.HANDED_OVER if leave else Parting.INTERRUPTED)


def _accepted(order: Order, journal: Journal) -> Accepted:
    eta = journal.progress.eta()
    return Accepted(
        reply_id=order.reply_id,
        outputs=list(order.request.outputs),
        starts_in_seconds=eta.starts_in_seconds,
        eta_seconds=eta.eta_seconds,
    )
