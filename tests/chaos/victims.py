"""A command line goes in, a process comes out that is killed and started again for as long as one likes."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import IO

_LOOK_SECONDS = 0.05


class Victim:
    """One process at one port, always the same."""

    def __init__(
        self, arguments: list[str], port: int, environment: Mapping[str, str], log: IO[bytes]
    ) -> None:
        self.port = port
        self._arguments = arguments
        self._environment = os.environ | environment
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.deaths = 0

    async def start(self) -> None:
        """Returns when it listens."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, *self._arguments, env=self._environment, stdout=self._log, stderr=self._log
        )
        while not await self.listens():
            if self._process.returncode is not None:
                raise RuntimeError(f"{self._arguments} ended at once: see its log")
            await asyncio.sleep(_LOOK_SECONDS)

    async def listens(self) -> bool:
        """Whether it can be reached."""
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            writer.close()
            return True
        return False

    async def die(self) -> None:
        """kill -9."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
            self.deaths += 1

    async def die_and_return(self) -> None:
        """As a supervisor sees to it."""
        await self.die()
        await self.start()


@asynccontextmanager
async def living(victims: list[Victim]) -> AsyncIterator[None]:
    """All of them are up; at the end all are gone."""
    try:
        await asyncio.gather(*(victim.start() for victim in victims))
        yield
    finally:
        await asyncio.gather(*(victim.die() for victim in victims))
