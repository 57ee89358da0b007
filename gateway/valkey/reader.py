"""Streams that grow go in, their entries come out for any number of waiting readers: over one connection."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from redis.exceptions import RedisError

from gateway.reply.event_log import UnknownReply
from gateway.reply.events import LoggedEvent
from gateway.valkey.connection import Client
from gateway.valkey.keys import events_key, inbox_key

log = structlog.get_logger()

Fields: TypeAlias = Mapping[bytes, bytes]
Listener: TypeAlias = Callable[[Fields], Awaitable[None]]

_BLOCK_MILLISECONDS = 3_000
_ENTRIES_AT_ONCE = 500
_RETRY_SECONDS = 1.0
# A reader that comes back within this time finds what it missed in memory.
_FORGET_SECONDS = 20.0
# Nobody reads it who has not said so for that long.
INBOX_SECONDS = 60
MAX_NOTES = 1_000
_CLOSING_SECONDS = 1.0


@dataclass(slots=True)
class _Followed:
    """What came of one reply since somebody here began to wait for it."""

    # Events up to this one came before.
    base: int
    ended: bool = False
    events: list[LoggedEvent] = field(default_factory=list)
    # Set and replaced whenever something came: each waiting reader wakes once.
    grown: asyncio.Event = field(default_factory=asyncio.Event)
    removed: bool = False
    waiting: int = 0
    used_at: float = 0.0

    @property
    def last(self) -> int:
        return self.base + len(self.events)

    def wake(self) -> None:
        self.grown.set()
        self.grown = asyncio.Event()


class StreamReader:
    """The one reader of this process. `replica` is its name, under which others leave notes for it."""

    def __init__(self, client: Client) -> None:
        self.replica = secrets.token_hex(8)
        self._client = client
        self._followed: dict[bytes, _Followed] = {}
        self._positions: dict[bytes, str] = {}
        self._listeners: dict[bytes, Listener] = {}
        self._closed = False
        # Notes that nobody else listens to only make the read come back.
        self._positions[inbox_key(self.replica).encode()] = "0-0"

    async def listen(self, stream: str, listener: Listener, after: str = "0-0") -> None:
        """Hands every entry of the stream after that one to `listener`."""
        self._positions[stream.encode()] = after
        self._listeners[stream.encode()] = listener
        await self.tell(self.replica, {"kind": "look"})

    async def run(self) -> None:
        """Reads until closed. Where the server is out of reach for a while, nothing is lost."""
        while not self._closed:
            try:
                answer = await self._grown_streams()
            except (RedisError, OSError) as error:
                log.warning("valkey cannot be read", error=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
                continue
            for stream, entries in answer:
                await self._take(stream, entries)
            self._forget_idle()

    def follows(self, reply_id: str, after: int) -> bool:
        """Whether everything above `after` is here, or will be."""
        followed = self._followed.get(events_key(reply_id).encode())
        return followed is not None and followed.base <= after

    async def _grown_streams(self) -> list[tuple[bytes, list[tuple[bytes, Fields]]]]:
        await self._client.expire(inbox_key(self.replica), INBOX_SECONDS)
        positions: dict[Any, Any] = dict(self._positions)
        positions |= {stream: f"{followed.last}-0" for stream, followed in self._followed.items()}
        grown: Any = await self._client.xread(positions, count=_ENTRIES_AT_ONCE, block=_BLOCK_MILLISECONDS)
        return list(grown)

    async def follow(self, reply_id: str, last: int) -> None:
        """Keeps here what comes after the event `last`, which is not terminal."""
        stream = events_key(reply_id).encode()
        if stream not in self._followed:
            self._followed[stream] = _Followed(last, used_at=time.monotonic())
            # The read that is waiting now does not know of it yet.
            await self.tell(self.replica, {"kind": "look"})

    async def later(self, reply_id: str, after: int, wait_seconds: float) -> list[LoggedEvent]:
        """Events above `after` of a reply that is followed from there: waited for, none after `wait_seconds`.

        None too where the reply ends. Raises UnknownReply: the log was removed, or this process sends its
        readers away.
        """
        followed = self._followed[events_key(reply_id).encode()]
        followed.waiting += 1
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_seconds):
                    while followed.last <= after and not followed.ended:
                        if followed.removed or self._closed:
                            raise UnknownReply(reply_id)
                        await followed.grown.wait()
        finally:
            followed.waiting -= 1
            followed.used_at = time.monotonic()
        return followed.events[after - followed.base :]

    def close(self) -> None:
        """Sends all readers away."""
        self._closed = True
        for followed in self._followed.values():
            followed.wake()

    async def tell(self, replica: str, note: Mapping[str, str]) -> None:
        """Leaves a note for one process, maybe this one."""
        fields: dict[Any, Any] = dict(note)
        await self._client.xadd(inbox_key(replica), fields, maxlen=MAX_NOTES)

    async def _take(self, stream: bytes, entries: list[tuple[bytes, Fields]]) -> None:
        if stream in self._positions:
            listener = self._listeners.get(stream)
            for entry_id, fields in entries:
                self._positions[stream] = entry_id.decode()
                if listener is not None:
                    await listener(fields)
            return
        if (followed := self._followed.get(stream)) is None:
            return
        for entry_id, fields in entries:
            if b"removed" in fields:
                followed.removed = True
                del self._followed[stream]
                break
            event = logged_event(entry_id, fields)
            followed.events.append(event)
            followed.ended = event.terminal
        followed.wake()

    def _forget_idle(self) -> None:
        before = time.monotonic() - _FORGET_SECONDS
        idle = [s for s, known in self._followed.items() if not known.waiting and known.used_at < before]
        for stream in idle:
            del self._followed[stream]


@asynccontextmanager
async def reading(client: Client) -> AsyncIterator[StreamReader]:
    """A reader that reads until the block ends."""
    reader = StreamReader(client)
    task = asyncio.create_task(reader.run())
    try:
        yield reader
    finally:
        reader.close()
        with suppress(RedisError, OSError):
            await reader.tell(reader.replica, {"kind": "look"})
        await asyncio.wait({task}, timeout=_CLOSING_SECONDS)
        task.cancel()
        await asyncio.wait({task})


def logged_event(entry_id: bytes, fields: Fields) -> LoggedEvent:
    """The event in an entry of a reply's stream."""
    number, at = int(entry_id.partition(b"-")[0]), int(fields[b"at"]) / 1000
    return LoggedEvent(number, fields[b"type"].decode(), json.loads(fields[b"data"]), at)
