"""SIGTERM goes to a real gateway process; running replies end well or as interrupted, then the process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON
from tests.fakes.stages import FakeStages, fake_stages


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def gateway_process(
    stages: FakeStages, folder: Path, drain_seconds: float
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    port = free_port()
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "GATEWAY_TEXT_TARGET": stages.text_server.address,
        "GATEWAY_TTS_TARGET": stages.tts_server.address,
        "GATEWAY_LIPSYNC_TARGET": stages.lipsync_server.address,
        "GATEWAY_DATA": str(folder),
        "GATEWAY_DRAIN_SECONDS": str(drain_seconds),
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gateway", env=environment)
    transport = httpx.AsyncHTTPTransport(retries=50)
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", transport=transport, timeout=30
        ) as http:
            while not await answers(http):
                assert process.returncode is None
                await asyncio.sleep(0.05)
            yield process, http
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False


async def refused(http: httpx.AsyncClient) -> None:
    """Returns once the gateway says that it takes no more replies."""
    while (await http.get("/readyz")).status_code != 503:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def story(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    lines = [json.loads(line) async for line in response.aiter_lines() if line]
    return [(line["event"], line["data"]) for line in lines]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_a_running_reply_may_end_before_the_process_does(
    tmp_path: Path, signal_number: signal.Signals
) -> None:
    async with fake_stages() as stages, gateway_process(stages, tmp_path, 20) as (process, http):
        gate = asyncio.Event()
        stages.tts.faults.plan(Fault(after=1, gate=gate))
        headers = {"Accept": "application/x-ndjson"}
        async with http.stream("POST", "/v1/replies", json=MOON, headers=headers) as response:
            await stages.tts.faults.reached.wait()
            process.send_signal(signal_number)
            await refused(http)
            assert (await http.post("/v1/replies", json=MOON)).status_code == 503
            gate.set()
            events = await story(response)
        assert events[-1][0] == "done"
        assert events[-1][1]["status"] == "completed"
        assert await process.wait() == 0


async def test_a_reply_that_takes_too_long_is_interrupted(tmp_path: Path) -> None:
    async with fake_stages() as stages, gateway_process(stages, tmp_path, 0.2) as (process, http):
        stages.tts.faults.plan(Fault(after=1, gate=asyncio.Event()))
        headers = {"Accept": "application/x-ndjson"}
        async with http.stream("POST", "/v1/replies", json=MOON, headers=headers) as response:
            await stages.tts.faults.reached.wait()
            process.terminate()
            events = await story(response)
        assert (events[-1][0], events[-1][1]["type"]) == ("error", "interrupted")
        assert await process.wait() == 0
        assert stages.tts.faults.running == 0


async def test_it_refuses_to_listen_for_strangers_unless_told_so() -> None:
    environment = os.environ | {"GATEWAY_HOST": "0.0.0.0"}
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"GATEWAY_ALLOW_OPEN=true" in errors
    assert b"Traceback" not in errors
