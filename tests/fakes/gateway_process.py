"""Fake stages and settings go in, a gateway in a process of its own comes out, which can be killed."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.ports import free_port
from tests.fakes.served_gateway import Told
from tests.fakes.stages import FakeStages


@dataclass(frozen=True, slots=True)
class GatewayProcess:
    """A running `python -m gateway` and a client of it."""

    process: asyncio.subprocess.Process
    http: httpx.AsyncClient

    async def ready(self) -> None:
        """Returns when it answers."""
        while not await _answers(self.http):
            assert self.process.returncode is None
            await asyncio.sleep(0.05)

    async def post(self, body: dict[str, Any], **headers: str) -> str:
        """Asks for a reply; its id."""
        response = await self.http.post("/v1/replies", json=body, headers=headers)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    async def events(self, reply_id: str, after: int = 0) -> list[Told]:
        """Every event after that one, up to the terminal one, or up to where the stream breaks."""
        return [event async for event in self.live(reply_id, after)]

    async def live(self, reply_id: str, after: int = 0) -> AsyncIterator[Told]:
        """The same, as they come."""
        headers = {"Accept": "application/x-ndjson"}
        url = f"/v1/replies/{reply_id}/events?after={after}"
        with suppress(httpx.TransportError):
            async with self.http.stream("GET", url, headers=headers, timeout=90) as response:
                async for line in response.aiter_lines():
                    if line:
                        event = json.loads(line)
                        yield Told(event["id"], event["event"], event["data"])

    async def media(self, reply_id: str) -> dict[str, bytes]:
        """Every file that its events name, and what is made of them, by name."""
        names = ["video.mp4", "audio.wav", "captions.vtt", "poster.jpg", "video.m3u8"]
        for event in await self.events(reply_id):
            urls = [event.data.get(name) for name in ("audio_url", "url", "init_url")]
            names += [url.rsplit("/", 1)[1] for url in urls if url]
        answers = {name: await self.http.get(f"/v1/replies/{reply_id}/{name}") for name in names}
        assert {answer.status_code for answer in answers.values()} == {200}
        return {name: answer.content for name, answer in answers.items()}

    async def kill(self) -> None:
        """As the kernel would, or a node that is gone."""
        self.process.kill()
        await self.process.wait()


@asynccontextmanager
async def gateway_process(
    stages: FakeStages, folder: Path, **settings: str | float
) -> AsyncIterator[GatewayProcess]:
    """Started, and killed at the end of the block. `settings` are GATEWAY_…, in lower case."""
    port = free_port()
    environment = os.environ | {
        "GATEWAY_PORT": str(port),
        "GATEWAY_TEXT_TARGET": stages.text_server.address,
        "GATEWAY_TTS_TARGET": stages.tts_server.address,
        "GATEWAY_LIPSYNC_TARGET": stages.lipsync_server.address,
        "GATEWAY_DATA": str(folder),
        **{f"GATEWAY_{name.upper()}": str(value) for name, value in settings.items()},
    }
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gateway", env=environment)
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60) as http:
            yield GatewayProcess(process, http)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answers(http: httpx.AsyncClient) -> bool:
    try:
        return (await http.get("/healthz")).status_code == 200
    except httpx.TransportError:
        return False
