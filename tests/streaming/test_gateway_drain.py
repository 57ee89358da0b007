"""SIGTERM goes to a real gateway process; running replies end well or as interrupted, then the process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from tests.fakes.faults import Fault
from tests.fakes.gateway_process import gateway_process
from tests.fakes.served_gateway import MOON
from tests.fakes.stages import FakeStages

NDJSON = {"Accept": "application/x-ndjson"}


async def refused(http: httpx.AsyncClient) -> None:
    """Returns once the gateway says that it takes no more replies."""
    while (await http.get("/readyz")).status_code != 503:  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def story(response: httpx.Response) -> list[tuple[str, dict[str, object]]]:
    lines = [json.loads(line) async for line in response.aiter_lines() if line]
    return [(line["event"], line["data"]) for line in lines]


@pytest.mark.parametrize("signal_number", [signal.SIGTERM, signal.SIGINT])
async def test_a_running_reply_may_end_before_the_process_does(
    stages: FakeStages, tmp_path: Path, signal_number: signal.Signals
) -> None:
    async with gateway_process(stages, tmp_path, drain_seconds=20) as gateway:
        await gateway.ready()
        gate = asyncio.Event()
        stages.tts.faults.plan(Fault(after=1, gate=gate))
        async with gateway.http.stream("POST", "/v1/replies", json=MOON, headers=NDJSON) as response:
            await stages.tts.faults.reached.wait()
            gateway.process.send_signal(signal_number)
            await refused(gateway.http)
            assert (await gateway.http.post("/v1/replies", json=MOON)).status_code == 503
            gate.set()
            events = await story(response)
        assert events[-1][0] == "done"
        assert events[-1][1]["status"] == "completed"
        assert await gateway.process.wait() == 0


async def test_a_reply_that_takes_too_long_is_interrupted(stages: FakeStages, tmp_path: Path) -> None:
    async with gateway_process(stages, tmp_path, drain_seconds=0.2) as gateway:
        await gateway.ready()
        stages.tts.faults.plan(Fault(after=1, gate=asyncio.Event()))
        async with gateway.http.stream("POST", "/v1/replies", json=MOON, headers=NDJSON) as response:
            await stages.tts.faults.reached.wait()
            gateway.process.terminate()
            events = await story(response)
        assert (events[-1][0], events[-1][1]["type"]) == ("error", "interrupted")
        assert await gateway.process.wait() == 0
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
