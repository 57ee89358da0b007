"""A server's Unix socket goes in, a relay to it comes out that holds a connection at a given word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

_READ_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class HeldLine:
    """`url` leads to the server, until a word is seen on its way there or back: it never arrives."""

    url: str
    word: bytes
    held: asyncio.Event = field(default_factory=asyncio.Event)


@asynccontextmanager
async def held_line(url: str, word: bytes, folder: Path) -> AsyncIterator[HeldLine]:
    """Relays until the block ends. `url` and the result's are unix://…; the folder's path must be short."""
    place = folder / "line.sock"
    line = HeldLine(f"unix://{place}", word)
    open_lines: set[asyncio.Task[None]] = set()

    async def relayed(near: asyncio.StreamReader, near_out: asyncio.StreamWriter) -> None:
        far, far_out = await asyncio.open_unix_connection(url.removeprefix("unix://"))
        ways = [asyncio.create_task(_passed_on(near, far_out, line))]
        ways.append(asyncio.create_task(_passed_on(far, near_out, line)))
        open_lines.update(ways)
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        for out in (near_out, far_out):
            out.close()

    server = await asyncio.start_unix_server(relayed, place)
    try:
        yield line
    finally:
        server.close()
        for way in open_lines:
            way.cancel()


async def _passed_on(source: asyncio.StreamReader, sink: asyncio.StreamWriter, line: HeldLine) -> None:
    before = b""
    with suppress(OSError):
        while data := await source.read(_READ_BYTES):
            if line.word in before + data and not line.held.is_set():
                line.held.set()
                # Until whoever is at the near end is gone.
                await asyncio.Event().wait()
            before = data[-len(line.word) :]
            sink.write(data)
            await sink.drain()
