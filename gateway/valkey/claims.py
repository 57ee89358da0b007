"""What a process makes goes in, what the processes that share the server must know of each other comes out.

The orders of running replies are a stream with one consumer group. Who makes a reply has claimed its entry,
and claims it again and again (XCLAIM) to say so; an entry that nobody has claimed for `takeover_seconds` is
an orphan, which others claim (XAUTOCLAIM). Both are one step with the note of who holds the reply.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
from redis.exceptions import ResponseError

from gateway.reply.claims import Cancelled, Lost, News, Orphan
from gateway.valkey.answering import NO_ANSWER, answering
from gateway.valkey.connection import Client
from gateway.valkey.keys import CLAIM_PREFIX, INBOX_PREFIX, ORDERS, RELEASES, claim_key, inbox_key
from gateway.valkey.reader import INBOX_SECONDS, MAX_NOTES, StreamReader
from gateway.valkey.scripts import Part, script

log = structlog.get_logger()

_GROUP = "gateways"
# Between two signs of life, as part of the time after which a process is taken for dead.
_RENEWALS = 4
_ORPHANS_AT_ONCE = 50
_UNHEARD_NEWS = 10_000
# Kept until the reply has ended; this long where that never comes.
_CLAIM_SECONDS = 7 * 24 * 3600
_CLOSING_SECONDS = 1.0
_GONE_MILLISECONDS = 24 * 3600 * 1000


class ValkeyClaims:
    """The claims of one process, which is named as its reader is."""

    shared = True

    def __init__(self, client: Client, reader: StreamReader, takeover_seconds: float) -> None:
        self._client = client
        self._reader = reader
        self._process = reader.replica
        self._takeover_seconds = takeover_seconds
        self._held: set[str] = set()
        self._news: asyncio.Queue[News] = asyncio.Queue(_UNHEARD_NEWS)
        self._released = asyncio.Event()
        self._stopped = False
        # On the server's clock, in ms.
        self._looked_at = 0
        self._renew = script(client, "claim_renew")
        self._orphans = script(client, "claim_orphans")
        self._release = script(client, "claim_release")
        self._finish = script(client, "claim_finish")
        self._cancel = script(client, "claim_cancel")

    def begun(self, reply_id: str, record: str) -> Part:
        """A reply begins in this process's hands; `record` is what another one would go on from."""
        return Part([claim_key(reply_id), ORDERS], [_GROUP, self._process, record, _CLAIM_SECONDS])

    def holds(self, reply_id: str) -> None:
        """That is what the server knows now."""
        self._held.add(reply_id)

    async def release(self, reply_id: str) -> None:
        """Any other process may go on with it, at once."""
        self._held.discard(reply_id)
        keys = [claim_key(reply_id), ORDERS, RELEASES]
        with answering():
            await self._release(keys, [_GROUP, self._process, self._takeover_milliseconds + 1])

    async def finish(self, reply_id: str) -> None:
        """The reply has ended."""
        self._held.discard(reply_id)
        with answering():
            await self._finish([claim_key(reply_id), ORDERS], [_GROUP, self._process])

    async def forget(self, reply_id: str) -> None:
        """Holds it no longer; when nobody has held it for a while, it is an orphan."""
        self._held.discard(reply_id)

    async def cancel(self, reply_id: str) -> None:
        """Asks whoever makes the reply to cancel it."""
        with answering():
            await self._cancel([claim_key(reply_id)], [reply_id, INBOX_PREFIX, MAX_NOTES, INBOX_SECONDS])

    async def is_cancelled(self, reply_id: str) -> bool:
        """Whether somebody asked for that."""
        with answering():
            return await self._client.hget(claim_key(reply_id), "cancelled") is not None

    async def news(self) -> AsyncGenerator[News, None]:
        """What happens to replies here, as it happens."""
        while True:
            yield await self._news.get()

    async def run(self) -> None:
        """Says that this process is alive, and looks for orphans, until stopped."""
        cursor = "0-0"
        while not self._stopped:
            self._released.clear()
            try:
                await self._say_alive()
                cursor = await self._look_for_orphans(cursor)
            except NO_ANSWER as error:
                log.warning("valkey cannot be told who makes what", error=type(error).__name__)
            with suppress(TimeoutError):
                async with asyncio.timeout(self._takeover_seconds / _RENEWALS):
                    await self._released.wait()

    def stop(self) -> None:
        """Says nothing any more."""
        self._stopped = True
        self._released.set()

    async def enter(self) -> None:
        """Joins the group, listens to the others, and lets go of what nobody is any more."""
        with suppress(ResponseError):
            # It is there already.
            await self._client.xgroup_create(ORDERS, _GROUP, id="0", mkstream=True)
        for consumer in await self._client.xinfo_consumers(ORDERS, _GROUP):
            known: Mapping[str, Any] = consumer
            if not known["pending"] and known["idle"] > _GONE_MILLISECONDS:
                await self._client.xgroup_delconsumer(ORDERS, _GROUP, known["name"])
        seconds, microseconds = await self._client.time()
        self._looked_at = seconds * 1000 + microseconds // 1000
        newest: Any = await self._client.xrevrange(RELEASES, count=1)
        await self._reader.listen(RELEASES, self._hear_release, newest[0][0].decode() if newest else "0-0")
        await self._reader.listen(inbox_key(self._process), self._hear_note)

    async def _say_alive(self) -> None:
        if not (held := sorted(self._held)):
            return
        keys = [ORDERS, *(claim_key(reply_id) for reply_id in held)]
        for name in await self._renew(keys, [_GROUP, self._process, *held]):
            reply_id = name.decode()
            if reply_id in self._held:
                self._held.discard(reply_id)
                self._news.put_nowait(Lost(reply_id))

    async def _look_for_orphans(self, cursor: str) -> str:
        idle = self._takeover_milliseconds
        onward, orphans, self._looked_at = await self._orphans(
            [ORDERS],
            [
                _GROUP,
                self._process,
                idle,
                cursor,
                _ORPHANS_AT_ONCE,
                CLAIM_PREFIX,
                _CLAIM_SECONDS,
                self._looked_at,
                idle - idle / _RENEWALS,
            ],
        )
        for name, record in orphans:
            reply_id = name.decode()
            # Of its own it has only been late.
            if reply_id not in self._held:
                self._held.add(reply_id)
                self._news.put_nowait(Orphan(reply_id, record.decode()))
        return str(onward, "utf-8")

    async def _hear_release(self, _note: Mapping[bytes, bytes]) -> None:
        self._released.set()

    async def _hear_note(self, note: Mapping[bytes, bytes]) -> None:
        if note.get(b"kind") == b"cancel":
            self._news.put_nowait(Cancelled(note[b"reply"].decode()))

    @property
    def _takeover_milliseconds(self) -> int:
        return round(self._takeover_seconds * 1000)


@asynccontextmanager
async def claiming(
    client: Client, reader: StreamReader, takeover_seconds: float
) -> AsyncIterator[ValkeyClaims]:
    """Claims that are kept alive until the block ends."""
    claims = ValkeyClaims(client, reader, takeover_seconds)
    await claims.enter()
    task = asyncio.create_task(claims.run())
    try:
        yield claims
    finally:
        claims.stop()
        await asyncio.wait({task}, timeout=_CLOSING_SECONDS)
        task.cancel()
        await asyncio.wait({task})
