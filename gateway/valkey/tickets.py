"""Pieces of video work go in, a stream as long as the work that is open comes out: what KEDA scales by.

Every gateway looks at it twice a second, and knows by it how much of the others' work comes before its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import structlog
from prometheus_client import Gauge

from gateway.stages.tickets import Others, Ticket
from gateway.valkey.answering import NO_ANSWER
from gateway.valkey.connection import Client

log = structlog.get_logger()

# Named in deploy/components/keda.
STREAM = "visavis:tickets"
_WORK, _HOLDER, _SERVED = b"work", b"by", b"served"
_LOOK_SECONDS = 0.5
OPEN = Gauge("visavis_tickets", "Pieces of video work that are waited for or being done, of all gateways")


@dataclass(frozen=True, slots=True)
class _Open:
    """An entry of the stream."""

    work: str
    holder: str
    served: bool


class ValkeyTickets:
    """One entry for each piece of work, removed at its end: no entry is ever only read."""

    def __init__(self, client: Client, process: str) -> None:
        self._client = client
        self._process = process
        # As of the last look, the oldest first.
        self._open: list[_Open] = []

    @asynccontextmanager
    async def held(self, work: str) -> AsyncIterator[Ticket]:
        """A ticket for as long as the block runs."""
        ticket = _Ticket(self._client, {_WORK: work, _HOLDER: self._process})
        try:
            await ticket.written()
            yield ticket
        finally:
            # Shielded: whoever cancels the work must not leave its ticket behind.
            await asyncio.shield(ticket.remove())

    def others(self, work: str) -> Others:
        """What other gateways have open before this work, or, where it has no ticket yet, at all."""
        mine = [place for place, entry in enumerate(self._open) if entry.work == work and not entry.served]
        before = self._open[: mine[0]] if mine else self._open
        waiting = [entry for entry in before if entry.holder != self._process and not entry.served]
        served = [entry for entry in self._open if entry.holder != self._process and entry.served]
        return Others(len(waiting), len(served))

    async def look(self) -> None:
        """Takes in what is open now."""
        entries: Any = await self._client.xrange(STREAM)
        self._open = [
            _Open(str(fields[_WORK], "utf-8"), str(fields.get(_HOLDER, b""), "utf-8"), _SERVED in fields)
            for _, fields in entries
        ]
        OPEN.set(len(self._open))

    async def drop(self, work: str) -> None:
        """Removes what a gateway that died held for this work."""
        entries: Any = await self._client.xrange(STREAM)
        if dropped := [entry for entry, fields in entries if fields[_WORK] == work.encode()]:
            await self._client.xdel(STREAM, *dropped)

    async def drop_older(self, seconds: float) -> None:
        """Removes what no gateway can still hold."""
        before = int((time.time() - seconds) * 1000)
        await self._client.xtrim(STREAM, minid=before, approximate=False)


class _Ticket:
    """An entry that only moves to the stream's end, when it is served. Without it the work is not counted.

    What was begun with it is done, whoever is cancelled meanwhile: no entry is left that nobody knows.
    """

    def __init__(self, client: Client, fields: dict[Any, Any]) -> None:
        self._client = client
        self._fields = fields
        self._entry: Any = None
        self._doing = asyncio.ensure_future(self._write())

    async def written(self) -> None:
        """It is there, if the server can be reached."""
        await asyncio.shield(self._doing)

    async def serve(self) -> None:
        """From now on a worker is at it."""
        if self._entry is not None and _SERVED not in self._fields:
            self._doing = asyncio.ensure_future(self._move())
            await asyncio.shield(self._doing)

    async def remove(self) -> None:
        """Where that cannot be done, it goes with the next `drop_older`."""
        await asyncio.wait({self._doing})
        if self._entry is not None:
            with _counted_or_not():
                await self._client.xdel(STREAM, self._entry)

    async def _write(self) -> None:
        with _counted_or_not():
            self._entry = await self._client.xadd(STREAM, self._fields)

    async def _move(self) -> None:
        self._fields[_SERVED] = 1
        with _counted_or_not():
            async with self._client.pipeline(transaction=True) as pipeline:
                pipeline.xdel(STREAM, self._entry)
                pipeline.xadd(STREAM, self._fields)
                _, self._entry = await pipeline.execute()


@contextmanager
def _counted_or_not() -> Iterator[None]:
    try:
        yield
    except NO_ANSWER as error:
        log.warning("ticket not kept up to date", error=type(error).__name__)


@asynccontextmanager
async def ticketing(client: Client, process: str) -> AsyncIterator[ValkeyTickets]:
    """The tickets of this process, with a view of all that is kept up to date until the block ends."""
    tickets = ValkeyTickets(client, process)
    looking = asyncio.create_task(_look_repeatedly(tickets))
    try:
        yield tickets
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def _look_repeatedly(tickets: ValkeyTickets) -> None:
    while True:
        try:
            await tickets.look()
        except NO_ANSWER as error:
            log.warning("tickets cannot be read", error=type(error).__name__)
        await asyncio.sleep(_LOOK_SECONDS)
