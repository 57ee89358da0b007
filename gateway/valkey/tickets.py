"""Pieces of video work go in, a stream as long as the work that is open comes out: what KEDA scales by."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
from prometheus_client import Gauge
from redis.exceptions import RedisError

from gateway.valkey.connection import Client

log = structlog.get_logger()

# Named in deploy/components/keda.
STREAM = "visavis:tickets"
_WORK = b"work"
OPEN = Gauge("visavis_tickets", "Pieces of video work that are waited for or being done, of all gateways")


class ValkeyTickets:
    """One entry for each piece of work, removed at its end: no entry is ever only read."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @asynccontextmanager
    async def held(self, work: str) -> AsyncIterator[None]:
        """A ticket for as long as the block runs."""
        ticket = await self._written(work)
        try:
            yield
        finally:
            if ticket is not None:
                # Shielded: whoever cancels the work must not leave its ticket behind.
                await asyncio.shield(self._removed([ticket]))

    async def drop(self, work: str) -> None:
        """Removes what a gateway that died held for this work."""
        entries: Any = await self._client.xrange(STREAM)
        await self._removed([ticket for ticket, fields in entries if fields[_WORK] == work.encode()])

    async def drop_older(self, seconds: float) -> None:
        """Removes what no gateway can still hold."""
        before = int((time.time() - seconds) * 1000)
        await self._client.xtrim(STREAM, minid=before, approximate=False)
        OPEN.set(await self._client.xlen(STREAM))

    async def _written(self, work: str) -> bytes | None:
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.xadd(STREAM, {_WORK: work})
                pipeline.xlen(STREAM)
                ticket, count = await pipeline.execute()
        except RedisError as error:
            log.warning("ticket not written", error=type(error).__name__)
            return None
        OPEN.set(count)
        return bytes(ticket)

    async def _removed(self, tickets: list[bytes]) -> None:
        if not tickets:
            return
        try:
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.xdel(STREAM, *tickets)
                pipeline.xlen(STREAM)
                _, count = await pipeline.execute()
        except RedisError as error:
            # It goes with the next `drop_older`.
            log.warning("ticket not removed", error=type(error).__name__)
            return
        OPEN.set(count)
