"""Gateways' ports go in, nginx as we ship it comes out in front of them; its processes may die."""

from __future__ import annotations

import asyncio
import os
import random
import signal
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from tests.fakes.proxies import Proxy, proxied


class Edge:
    """A proxy whose connections are cut by killing what serves them; its first process starts another."""

    def __init__(self, proxy: Proxy, chance: random.Random) -> None:
        self.url = proxy.address
        self._pid = proxy.pid
        self._chance = chance

    async def cut(self) -> None:
        """kill -9 of one of the processes that serve connections."""
        listing = await asyncio.create_subprocess_exec("pgrep", "-P", str(self._pid), stdout=PIPE)
        listed, _ = await listing.communicate()
        with suppress(ProcessLookupError):
            os.kill(int(self._chance.choice(listed.split())), signal.SIGKILL)


@asynccontextmanager
async def served_edge(gateways: list[int], folder: Path, chance: random.Random) -> AsyncIterator[Edge]:
    """Serves until the block ends. Skips the test where there is no nginx."""
    async with proxied("nginx", gateways, folder) as proxy:
        yield Edge(proxy, chance)
