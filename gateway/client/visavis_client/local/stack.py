"""An address goes in, a local stack comes out: text, speech, video and the gateway, ready for replies."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
import sys
from asyncio import FIRST_COMPLETED
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, TypeVar

import httpx
from honcho.environ import parse_procfile

import visavis_client
from visavis_client.errors import VisavisError
from visavis_client.local.readiness import Readiness, read_readiness
from visavis_client.local.supervisor import Command, Running, ShowLine, running

Result = TypeVar("Result")

# This package lies in gateway/client/visavis_client.
CHECKOUT = Path(visavis_client.__file__).resolve().parents[3]
# Loading and warming takes seconds; a machine that is busy with other work may need many times that.
START_SECONDS = 180.0
_POLL_SECONDS = 0.2


class StackError(VisavisError):
    """The stack cannot start or has ended."""


@dataclass(frozen=True, slots=True)
class Stack:
    """A started stack."""

    url: str
    _watches: Sequence[asyncio.Task[Running]]

    async def readiness(self) -> Readiness:
        """Waits until every stage serves.

        Raises:
            StackError: a process ended, or `START_SECONDS` passed.
        """
        try:
            async with asyncio.timeout(START_SECONDS):
                return await self.while_running(self._poll())
        except TimeoutError:
            raise StackError(f"Not every stage was serving after {START_SECONDS:.0f} seconds.") from None

    async def while_running(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of `work`, which is given up as soon as a process ends.

        Raises:
            StackError: a process ended; says which one and how.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait((task, *self._watches), return_when=FIRST_COMPLETED)
            if not task.done() or task.exception() is not None:
                self._raise_if_one_ended()
            return await task
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _poll(self) -> Readiness:
        async with httpx.AsyncClient(base_url=self.url, trust_env=False) as http:
            while True:
                readiness = await read_readiness(http)
                if readiness is not None and readiness.serving:
                    return readiness
                await asyncio.sleep(_POLL_SECONDS)

    def _raise_if_one_ended(self) -> None:
        for watch in self._watches:
            if watch.done():
                raise StackError(_how_it_ended(watch.result()))


@asynccontextmanager
async def local_stack(host: str, port: int, data: str, show: ShowLine) -> AsyncIterator[Stack]:
    """Starts the four processes; leaving the block ends them.

    Args:
        host: the gateway's address; the services stay on loopback.
        port: the gateway's port; 0 takes a free one.
        data: the folder where the gateway keeps media, or a bucket's URL.
        show: called with a process's name and each line it writes.

    Raises:
        StackError: the port is taken, or this is not a checkout of the project.
    """
    port = port or _free_ports(1)[0]
    _check_free(host, port)
    async with running(_commands(host, port, data), show) as watches:
        yield Stack(_url(host, port), watches)


def _commands(host: str, port: int, data: str) -> list[Command]:
    procfile = CHECKOUT / "deploy" / "local" / "Procfile"
    if not procfile.is_file():
        raise StackError(
            "Only a checkout of the project can start the services; name a running one with --server."
        )
    environment = {"PYTHON": sys.executable, "HOST": host, "PORT": str(port), "DATA": data}
    # What users added stays, whatever folder they are in.
    environment["KEPT"] = str(CHECKOUT / "var")
    processes: dict[str, str] = parse_procfile(procfile.read_text()).processes
    services = [name for name in processes if name != "gateway"]
    for name, free in zip(services, _free_ports(len(services)), strict=True):
        environment[f"{name.upper()}_PORT"] = str(free)
    return [Command(name, line, environment) for name, line in processes.items()]


def _free_ports(count: int) -> list[int]:
    with ExitStack() as probes:
        # All are held until the last is found, so no two are the same.
        held = [probes.enter_context(closing(socket.socket())) for _ in range(count)]
        for probe in held:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in held]


def _check_free(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as probe:
        # As servers do: the remains of closed connections do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            other = port % 65535 + 1
            way_out = (
                f"Choose another port: make run PORT={other} (or visavis serve --port {other})."
                if error.errno in (errno.EADDRINUSE, errno.EACCES)
                else "Choose another --host: an address of this machine."
            )
            raise StackError(f"Cannot listen on {host} port {port}: {error.strerror}. {way_out}") from None


def _url(host: str, port: int) -> str:
    address = ip_address(socket.getaddrinfo(host, port)[0][4][0])
    if address.is_unspecified:
        host = "127.0.0.1" if address.version == 4 else "::1"
    return str(httpx.URL(scheme="http", host=host, port=port))


def _how_it_ended(one: Running) -> str:
    code = one.process.returncode or 0
    how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
    last = "".join(f"\n  {line}" for line in one.last_lines)
    return f"The process {one.name} {how}, so the others were stopped too." + (
        f" Its last lines:{last}" if last else ""
    )
