"""Shell commands under the supervisor: lines, ends, signals, and a launcher that is killed."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from visavis_client.local import supervisor
from visavis_client.local.supervisor import Command, running


class Lines:
    """Keeps what processes write and lets a test wait for a line."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str]] = []
        self._news = asyncio.Event()

    def show(self, name: str, line: str) -> None:
        self.seen.append((name, line))
        self._news.set()

    async def wait_for(self, count: int) -> None:
        while len(self.seen) < count:
            self._news.clear()
            await self._news.wait()


def alive(pid: int) -> bool:
    """Whether the process runs; one that has ended but was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def test_lines_are_shown_with_the_name_of_their_process() -> None:
    lines = Lines()
    commands = [
        Command("one", 'echo "$WORD" from one', {"WORD": "hello"}),
        Command("two", "echo two >&2", {}),
    ]
    async with running(commands, lines.show) as watches:
        ended = await asyncio.gather(*watches)
    assert sorted(lines.seen) == [("one", "hello from one"), ("two", "two")]
    assert [one.process.returncode for one in ended] == [0, 0]


async def test_an_endless_line_is_shown_in_pieces() -> None:
    lines = Lines()
    length = supervisor.MAX_LINE_BYTES * 3
    command = Command("one", f"head -c {length} /dev/zero | tr '\\0' x; echo", {})
    async with running([command], lines.show) as watches:
        await asyncio.gather(*watches)
    assert sum(len(line) for _, line in lines.seen) == length
    assert max(len(line) for _, line in lines.seen) <= supervisor.MAX_LINE_BYTES * 2


async def test_leaving_ends_every_process() -> None:
    lines = Lines()
    commands = [Command(name, "echo $$; exec sleep 1000", {}) for name in ("one", "two")]
    async with running(commands, lines.show) as watches:
        await lines.wait_for(2)
        pids = [int(line) for _, line in lines.seen]
        assert all(alive(pid) for pid in pids)
    assert [watch.result().process.returncode for watch in watches] == [-signal.SIGTERM] * 2
    assert not any(alive(pid) for pid in pids)


async def test_a_process_that_ignores_the_request_is_killed() -> None:
    lines = Lines()
    command = Command("stubborn", "trap '' TERM; echo ready; while :; do sleep 1; done", {})
    async with running([command], lines.show, stop_seconds=0.1) as watches:
        await lines.wait_for(1)
    assert watches[0].result().process.returncode == -signal.SIGKILL


async def test_a_second_cancellation_does_not_wait() -> None:
    lines = Lines()

    async def supervise() -> None:
        async with running(
            [Command("stubborn", "trap '' TERM; echo ready; exec sleep 1000", {})], lines.show
        ) as w:
            watches.extend(w)
            await asyncio.Event().wait()

    watches: list[asyncio.Task[supervisor.Running]] = []
    task = asyncio.create_task(supervise())
    await lines.wait_for(1)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert watches[0].result().process.returncode == -signal.SIGKILL


LAUNCHER = """
import asyncio
from visavis_client.local.supervisor import Command, running

async def main():
    command = Command("child", "echo $$; exec sleep 1000", {})
    async with running([command], lambda name, line: print(line, flush=True)):
        await asyncio.Event().wait()

asyncio.run(main())
"""


@pytest.fixture
def launcher() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen([sys.executable, "-c", LAUNCHER], stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl(2) is Linux's own")
def test_a_killed_launcher_leaves_no_orphan(launcher: subprocess.Popen[str]) -> None:
    assert launcher.stdout is not None
    child = int(launcher.stdout.readline())
    # Its end is awaited without polling: a pidfd becomes readable.
    watch = os.pidfd_open(child)
    try:
        launcher.kill()
        launcher.wait()

        readable, _, _ = select.select([watch], [], [], 10)
        assert readable, "the child outlived its launcher"
    finally:
        os.close(watch)
        with suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
