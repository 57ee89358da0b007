"""Connections go in, each on to some gateway; any of them may be cut in the middle of a byte stream."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

_PIECE_BYTES = 16 * 1024


class Cutter:
    """A TCP proxy in front of ports of this machine; those that refuse are passed over."""

    def __init__(self, ports: Sequence[int], chance: random.Random) -> None:
        self._ports = ports
        self._chance = chance
        self._open: dict[asyncio.StreamWriter, asyncio.StreamWriter] = {}
        self.cuts = 0

    def cut_one(self) -> None:
        """Resets one connection, if there is any."""
        if self._open:
            client, gateway = self._chance.choice(list(self._open.items()))
            client.transport.abort()
            gateway.transport.abort()
            self.cuts += 1

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        upstream = await self._connected()
        if upstream is None:
            writer.transport.abort()
            return
        self._open[writer] = upstream[1]
        ways = [
            asyncio.create_task(_copied(reader, upstream[1])),
            asyncio.create_task(_copied(upstream[0], writer)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.wait(ways)
            del self._open[writer]
            for side in (writer, upstream[1]):
                side.close()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        for port in self._chance.sample(list(self._ports), len(self._ports)):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        return None


@asynccontextmanager
async def served_cutter(ports: Sequence[int], chance: random.Random) -> AsyncIterator[tuple[Cutter, str]]:
    """A cutter and the address where it listens."""
    cutter = Cutter(ports, chance)
    server = await asyncio.start_server(cutter.serve, "127.0.0.1", 0)
    try:
        yield cutter, f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while piece := await reader.read(_PIECE_BYTES):
            writer.write(piece)
            await writer.drain()
