"""Shell commands go in, running processes come out: their lines are shown, and none outlives the launcher.

Honcho reads the Procfile and prints the lines, but does not run the processes: its manager leaves them
behind when it is killed, and waits for ever where none of them heeds SIGTERM.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, STDOUT, Process
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

# Shown one by one, or kept: the last lines of a process usually say why it ended.
ShowLine = Callable[[str, str], None]
KEPT_LINES = 12
# A longer line is cut: it comes from a process we do not trust to be brief.
MAX_LINE_BYTES = 1 << 16
# From SIGTERM to SIGKILL.
STOP_SECONDS = 5.0

# prctl(2): the signal a process gets when its parent dies.
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Command:
    """A named shell command and its environment."""

    name: str
    line: str
    environment: Mapping[str, str]


@dataclass(slots=True)
class Running:
    """A process that was started, and the last lines it wrote."""

    name: str
    process: Process
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=KEPT_LINES))


@asynccontextmanager
async def running(
    commands: Sequence[Command], show: ShowLine, stop_seconds: float = STOP_SECONDS
) -> AsyncIterator[Sequence[asyncio.Task[Running]]]:
    """Starts the commands; yields a task for each that finishes when its process has ended.

    Leaving the block ends all of them: SIGTERM, then SIGKILL after `stop_seconds`, or at once if cancelled.
    """
    started: list[Running] = []
    watches: list[asyncio.Task[Running]] = []
    try:
        for command in commands:
            one = Running(command.name, await _start(command))
            started.append(one)
            watches.append(asyncio.create_task(_ended(one, show), name=command.name))
        yield watches
    finally:
        try:
            _signal_all(started, signal.SIGTERM)
            if watches:
                await asyncio.wait(watches, timeout=stop_seconds)
        finally:
            # Also reaches what a process may have started itself: each leads its own group.
            _signal_all(started, signal.SIGKILL)
            await asyncio.gather(*watches)


async def _start(command: Command) -> Process:
    return await asyncio.create_subprocess_shell(
        command.line,
        stdin=DEVNULL,
        stdout=PIPE,
        stderr=STDOUT,
        limit=MAX_LINE_BYTES,
        env={**os.environ, **command.environment},
        # A session of its own: Ctrl-C in the terminal reaches the launcher alone, which ends them in order.
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),
    )


async def _ended(one: Running, show: ShowLine) -> Running:
    assert one.process.stdout is not None
    while line := await _line(one.process.stdout):
        text = line.decode(errors="replace").rstrip()
        one.last_lines.append(text)
        show(one.name, text)
    await one.process.wait()
    return one


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readuntil(b"\n")
    except asyncio.IncompleteReadError as end:
        return end.partial
    except asyncio.LimitOverrunError:
        return await stream.read(MAX_LINE_BYTES)


def _signal_all(started: Sequence[Running], number: signal.Signals) -> None:
    for one in started:
        with suppress(ProcessLookupError):
            os.killpg(one.process.pid, number)


def _die_with(launcher: int) -> Callable[[], None] | None:
    """What a child runs before its command, so that even SIGKILL of the launcher ends it. Linux only."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl

    def arrange() -> None:
        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != launcher:
            os._exit(1)

    return arrange
