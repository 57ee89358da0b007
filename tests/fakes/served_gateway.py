"""Fake stages go in, a gateway comes out: the real application behind a real server on a free port."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import httpx_sse
import uvicorn

from gateway.http.app import gateway_app
from gateway.http.serving import server_config
from gateway.http.state import Gateway
from gateway.settings import GatewaySettings
from tests.fakes.stages import FakeStages

TERMINAL = {"done", "error"}
MOON = {"messages": [{"role": "user", "content": "Tell me about the moon."}]}


@dataclass(frozen=True, slots=True)
class Told:
    """One event as a client got it."""

    id: int
    type: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServedGateway:
    """A running gateway, a client of it, and its inside for those who must look."""

    http: httpx.AsyncClient
    inside: Gateway

    async def post(self, body: dict[str, Any] | None = None, **headers: str) -> str:
        """Asks for a reply; its id."""
        response = await self.http.post("/v1/replies", json=body or MOON, headers=headers)
        assert response.status_code == 202, response.text
        return str(response.json()["id"])

    async def events(self, reply_id: str, after: int = 0) -> list[Told]:
        """Every event after that one, up to the terminal one."""
        return [event async for event in self.live(reply_id, after)]

    async def live(self, reply_id: str, after: int = 0) -> AsyncGenerator[Told, None]:
        """Events as they come. Leaving the loop closes the connection."""
        headers = {"Last-Event-ID": str(after)} if after else {}
        url = f"/v1/replies/{reply_id}/events"
        async with httpx_sse.aconnect_sse(self.http, "GET", url, headers=headers) as source:
            async for event in source.aiter_sse():
                if event.event != "message":
                    yield Told(int(event.id), event.event, json.loads(event.data))

    async def reply(self, body: dict[str, Any] | None = None, **headers: str) -> list[Told]:
        """Asks for a reply and hears all of it."""
        return await self.events(await self.post(body, **headers))


@asynccontextmanager
async def served_gateway(stages: FakeStages, folder: Path, **settings: Any) -> AsyncIterator[ServedGateway]:
    """Serves until the block ends. `settings` may point to other stages than the fake ones."""
    usual: dict[str, Any] = {
        "text_target": stages.text_server.address,
        "tts_target": stages.tts_server.address,
        "lipsync_target": stages.lipsync_server.address,
        "data": str(folder / "media"),
        "port": 0,
    }
    known = GatewaySettings(**usual | settings)
    app = gateway_app(known)
    server = uvicorn.Server(server_config(app, known, closing_seconds=1))
    serving = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not serving.done(), serving.exception()
            await asyncio.sleep(0.005)
        port = server.servers[0].sockets[0].getsockname()[1]
        limits = httpx.Limits(max_connections=200)
        base = f"http://127.0.0.1:{port}"
        async with httpx.AsyncClient(base_url=base, timeout=30, limits=limits) as http:
            yield ServedGateway(http, app.state.gateway)
    finally:
        server.should_exit = True
        await serving


def check_story(events: list[Told]) -> None:
    """What holds for every reply, whatever died: ids without gaps, the order, exactly one terminal event."""
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    types = [event.type for event in events]
    assert types[0] == "accepted"
    assert [type_ for type_ in types if type_ in TERMINAL] == types[-1:]
    _check_order(types, "text_delta", "text_ok")
    _check_order(types, "utterance", "audio_ok")
    _check_order(types, "fragment", "video_ok")
    _check_timeline([event.data for event in events if event.type == "utterance"])
    _check_timeline([event.data for event in events if event.type == "fragment"])
    fractions = [event.data["fraction"] for event in events if event.type == "progress"]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 0.99 for fraction in fractions)


def _check_order(types: list[str], part: str, end: str) -> None:
    assert types.count(end) <= 1
    if end in types:
        assert part not in types[types.index(end) :]


def _check_timeline(parts: list[dict[str, Any]]) -> None:
    at = 0.0
    for index, part in enumerate(parts):
        assert part["index"] == index
        assert abs(part["start_seconds"] - at) < 1e-6
        at = part["start_seconds"] + part["duration_seconds"]
