"""Addresses of event streams go in; each event's delay, and whether all came in order, come out."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from functools import partial

_ID = b"\nid: "
_DELTA = b'"delta":"'


@dataclass(slots=True)
class Heard:
    """What all readers together have heard. Delays are seconds from the writing of a delta."""

    streams: int
    events: int = 0
    deltas: int = 0
    gaps: int = 0
    ended: int = 0
    delays: list[float] = field(default_factory=list)
    # Set once every stream has begun: what was written earlier was replayed and has no delay to speak of.
    open: asyncio.Event = field(default_factory=asyncio.Event)
    open_at: float = math.inf

    def begin(self) -> None:
        """One more stream has begun."""
        self.streams -= 1
        if not self.streams:
            self.open_at = time.monotonic()
            self.open.set()


class Reader(asyncio.Protocol):
    """One client of one reply, as thin as can be: what it costs must not be taken for the gateway's delay."""

    def __init__(self, host: str, path: str, heard: Heard) -> None:
        self.closed = asyncio.get_running_loop().create_future()
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n\r\n".encode()
        self._heard = heard
        self._rest = b""
        self._last_id = 0
        self._begun = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks."""
        assert isinstance(transport, asyncio.Transport)
        transport.write(self._request)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Takes whole events out of what has come so far."""
        now = time.monotonic()
        if not self._begun:
            self._begun = True
            self._heard.begin()
        *events, self._rest = (self._rest + data).split(b"\n\n")
        for event in events:
            self._take(event, now)

    def connection_lost(self, error: Exception | None) -> None:
        """The stream is over, or was cut."""
        if not self.closed.done():
            self.closed.set_result(None)

    def _take(self, event: bytes, now: float) -> None:
        at = event.rfind(_ID)
        if at < 0:
            return
        position = int(event[at + len(_ID) :].split(b"\n", 1)[0])
        self._heard.events += 1
        self._heard.gaps += position != self._last_id + 1
        self._last_id = position
        begin = event.find(_DELTA)
        if begin >= 0:
            self._heard.deltas += 1
            written = event[begin + len(_DELTA) : event.index(b'"', begin + len(_DELTA))]
            if float(written) > self._heard.open_at:
                self._heard.delays.append(now - float(written))
        elif b"event: done" in event:
            self._heard.ended += 1
            self._transport.close()


async def read_all(host: str, port: int, paths: list[str], heard: Heard) -> None:
    """Opens every stream and reads each to its end."""
    loop = asyncio.get_running_loop()
    readers = []
    for path in paths:
        _, reader = await loop.create_connection(partial(Reader, host, path, heard), host, port)
        readers.append(reader)
    await asyncio.gather(*(reader.closed for reader in readers))
