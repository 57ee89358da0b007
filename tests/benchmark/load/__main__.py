"""Readers, replies, seconds go in; how late events come from one gateway, and their cost, come out."""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmark.load.process_use import cpu_seconds, memory_mib
from tests.benchmark.load.readers import Heard, read_all
from tests.benchmark.machine import load_line, machine_line
from tests.fakes.ports import free_port

HOST = "127.0.0.1"
QUESTION = {"messages": [{"role": "user", "content": "What time is it?"}], "outputs": ["text"]}
START_SECONDS = 120
REPORT = """# Readers of events

{machine} {load}

One gateway process, {replies} replies that write one delta in {pause:g} s for {seconds:g} s, {readers} open
event streams (SSE, HTTP/1.1). The writer, the gateway and the readers are three processes on this machine;
the delay is from the writing of a delta in the first to its arrival in the third, once all streams are open.

| events heard | lost or doubled | streams ended well | delay p50 | p99 | worst |
|---|---|---|---|---|---|
| {events:,} | {gaps} | {ended} of {readers} | {p50:.1f} ms | {p99:.1f} ms | {worst:.1f} ms |

| CPU of the gateway | of a core | per event heard | per reply | memory, MiB: streams open | at last | most |
|---|---|---|---|---|---|---|
| {cpu:.1f} s | {share:.0%} | {per_event:.0f} µs | {per_reply:.2f} s | {first:.0f} | {last:.0f} | {most:.0f} |
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What is put on the gateway."""

    readers: int
    replies: int
    seconds: float
    pause_seconds: float = 1.0

    @property
    def deltas(self) -> int:
        """Of each reply."""
        return max(1, round(self.seconds / self.pause_seconds))


@dataclass(frozen=True, slots=True)
class Cost:
    """What the gateway used while the streams were open."""

    wall_seconds: float
    cpu_seconds: float
    memory_mib: list[float]


async def loaded(load: Load, folder: Path) -> tuple[Heard, Cost]:
    """Runs the writer and the gateway, opens the streams, reads them to their ends."""
    _allow_files(load.readers + 1_000)
    heard = Heard(load.readers)
    async with _writer(load) as writer, _gateway(load, writer, folder) as (port, pid):
        async with httpx.AsyncClient(base_url=f"http://{HOST}:{port}", timeout=60) as http:
            paths = [await _asked(http) for _ in range(load.replies)]
        streams = [paths[number % len(paths)] for number in range(load.readers)]
        memory: list[float] = []
        watching = asyncio.create_task(_watched(pid, heard, memory, load.seconds / 20))
        begun, used = time.monotonic(), cpu_seconds(pid)
        await read_all(HOST, port, streams, heard)
        watching.cancel()
        memory.append(memory_mib(pid))
        return heard, Cost(time.monotonic() - begun, cpu_seconds(pid) - used, memory)


async def _asked(http: httpx.AsyncClient) -> str:
    response = await http.post("/v1/replies", json=QUESTION)
    assert response.status_code == 202, response.text
    return str(response.json()["events_url"])


async def _watched(pid: int, heard: Heard, memory: list[float], pause_seconds: float) -> None:
    await heard.open.wait()
    while True:
        memory.append(memory_mib(pid))
        await asyncio.sleep(pause_seconds)


@asynccontextmanager
async def _writer(load: Load) -> AsyncIterator[str]:
    arguments = ("--deltas", str(load.deltas), "--pause-seconds", str(load.pause_seconds))
    command = (sys.executable, "-m", "tests.benchmark.load.writer", *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        yield (await process.stdout.readline()).decode().strip()
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _gateway(load: Load, writer: str, folder: Path) -> AsyncIterator[tuple[int, int]]:
    port = free_port()
    settings = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_DATA": str(folder),
        "GATEWAY_TEXT_TARGET": writer,
        "GATEWAY_MAX_RUNNING_REPLIES": str(load.replies),
        "GATEWAY_REPLY_SECONDS": str(load.seconds + 120),
        "GATEWAY_LOG_LEVEL": "error",
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gateway", env=os.environ | settings)
    try:
        async with asyncio.timeout(START_SECONDS), httpx.AsyncClient() as http:
            while not await _alive(http, f"http://{HOST}:{port}/healthz"):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield port, process.pid
    finally:
        process.kill()
        await process.wait()


async def _alive(http: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await http.get(url)).is_success
    except httpx.TransportError:
        return False


def _allow_files(count: int) -> None:
    """Each stream is an open file, here and in the gateway, which inherits the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def report(load: Load, heard: Heard, cost: Cost) -> str:
    """As Markdown."""
    centiles = statistics.quantiles(heard.delays, n=100)
    return REPORT.format(
        machine=machine_line(),
        load=load_line(),
        replies=load.replies,
        readers=load.readers,
        pause=load.pause_seconds,
        seconds=load.seconds,
        events=heard.events,
        gaps=heard.gaps,
        ended=heard.ended,
        p50=centiles[49] * 1000,
        p99=centiles[98] * 1000,
        worst=max(heard.delays) * 1000,
        cpu=cost.cpu_seconds,
        share=cost.cpu_seconds / cost.wall_seconds,
        per_event=cost.cpu_seconds / heard.events * 1e6,
        per_reply=cost.cpu_seconds / load.replies,
        first=cost.memory_mib[0],
        last=cost.memory_mib[-1],
        most=max(cost.memory_mib),
    )


def main() -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readers", type=int, default=2_000)
    parser.add_argument("--replies", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=600)
    options = parser.parse_args()
    load = Load(options.readers, options.replies, options.seconds)
    with tempfile.TemporaryDirectory() as folder:
        heard, cost = asyncio.run(loaded(load, Path(folder)))
    print(report(load, heard, cost))


if __name__ == "__main__":
    main()
