"""Through real proxies, run as we ship them: each event arrives before the next one is made."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from websockets.asyncio.client import connect

from gateway.reply.event_log import EventLog
from gateway.reply.events import Done, TextDelta, Timings, Usage
from tests.fakes.faults import Fault
from tests.fakes.proxies import proxied
from tests.fakes.registers import entry
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages, fake_stages

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow, pytest.mark.timeout(300)]
EVENTS = 5
READERS = 8
DONE = Done(status="completed", video_url=None, usage=Usage(), timings=Timings())
_IDS = count(1)


@dataclass(frozen=True, slots=True)
class Edge:
    """A gateway behind a proxy, and one client of it that has a single HTTP/2 connection."""

    gateway: ServedGateway
    http: httpx.AsyncClient
    stages: FakeStages
    folder: Path

    @property
    def log(self) -> EventLog:
        """What is appended here must come out at the proxy."""
        return self.gateway.inside.log


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["caddy", "envoy", "nginx"])
async def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Edge]:
    folder = tmp_path_factory.mktemp(request.param)
    async with AsyncExitStack() as stack:
        stages = await stack.enter_async_context(fake_stages())
        gateway = await stack.enter_async_context(served_gateway(stages, folder, allow_open=True))
        ports = [gateway.http.base_url.port or 0]
        proxy = await stack.enter_async_context(proxied(request.param, ports, folder))
        limits = httpx.Limits(max_connections=1)
        client = httpx.AsyncClient(
            base_url=proxy.address, verify=False, http2=True, limits=limits, timeout=120
        )
        http = await stack.enter_async_context(client)
        yield Edge(gateway, http, stages, folder)


@pytest.fixture
def edge(served: Edge) -> Edge:
    served.stages.forget()
    return served


async def opened_log(edge: Edge) -> str:
    """A reply that nobody makes: its events are what the test appends."""
    reply_id = f"told-{next(_IDS)}"
    await edge.gateway.inside.register.enter(entry(reply_id))
    return reply_id


@pytest.mark.parametrize("accept", ["text/event-stream", "application/x-ndjson"])
async def test_each_event_arrives_before_the_next_one_is_made(edge: Edge, accept: str) -> None:
    reply_id = await opened_log(edge)
    async with edge.http.stream("GET", f"/v1/replies/{reply_id}/events", headers={"Accept": accept}) as told:
        assert told.http_version == "HTTP/2"
        lines = told.aiter_lines()
        for number in range(EVENTS):
            await edge.log.append(reply_id, TextDelta(delta=f"word {number}"))
            await until(lines, f"word {number}")
        await edge.log.append(reply_id, DONE)
        await until(lines, "completed")


async def test_no_log_keeps_a_signature(edge: Edge) -> None:
    reply_id = await opened_log(edge)
    await edge.log.append(reply_id, DONE)
    answer = await edge.http.get(f"/v1/replies/{reply_id}/events?token=signature-of-this-reply")
    assert answer.is_success
    written = [path.read_text(errors="replace") for path in edge.folder.glob("*.log")]
    assert not any("signature-of-this-reply" in text for text in written)


async def test_a_socket_hears_each_event_before_the_next_one_is_made(edge: Edge) -> None:
    reply_id = await opened_log(edge)
    address = f"wss://localhost:{edge.http.base_url.port}/v1/replies/{reply_id}/socket"
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    async with connect(address, ssl=trusting) as socket:
        assert json.loads(await socket.recv())["event"] == "accepted"
        for number in range(EVENTS):
            await edge.log.append(reply_id, TextDelta(delta=f"word {number}"))
            assert json.loads(await socket.recv())["data"] == {"delta": f"word {number}"}
        await edge.log.append(reply_id, DONE)
        assert json.loads(await socket.recv())["event"] == "done"


async def test_events_on_the_post_itself_arrive_while_the_model_still_writes(edge: Edge) -> None:
    gate = asyncio.Event()
    edge.stages.text.faults.plan(Fault(after=3, gate=gate))
    headers = {"Accept": "text/event-stream"}
    async with edge.http.stream("POST", "/v1/replies", json=MOON, headers=headers) as told:
        lines = told.aiter_lines()
        await until(lines, "text_delta")
        gate.set()
        await until(lines, "event: done")


async def test_a_growing_video_arrives_while_it_is_made_and_can_be_cut_afterwards(edge: Edge) -> None:
    gate = asyncio.Event()
    # Its start, then one fragment.
    edge.stages.lipsync.faults.plan(Fault(after=2, gate=gate))
    reply_id = (await edge.http.post("/v1/replies", json=MOON)).json()["id"]
    video = f"/v1/replies/{reply_id}/video.mp4"
    async with edge.http.stream("GET", video) as growing:
        pieces = growing.aiter_bytes()
        received = b""
        while b"mdat" not in received:
            received += await anext(pieces)
        gate.set()
        async for piece in pieces:
            received += piece
    assert received.count(b"moof") > 1
    await edge.gateway.events(reply_id)
    whole = (await edge.http.get(video)).content
    part = await edge.http.get(video, headers={"Range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, whole[100:200])
    assert part.headers["Content-Range"] == f"bytes 100-199/{len(whole)}"


async def test_eight_readers_share_one_connection(edge: Edge) -> None:
    replies = [await opened_log(edge) for _ in range(READERS)]
    async with AsyncExitStack() as stack:
        lines = []
        for reply_id in replies:
            stream = edge.http.stream("GET", f"/v1/replies/{reply_id}/events")
            lines.append((await stack.enter_async_context(stream)).aiter_lines())
        for number in range(EVENTS):
            for reply_id, line in zip(replies, lines, strict=True):
                await edge.log.append(reply_id, TextDelta(delta=f"word {number} of {reply_id}"))
                await until(line, f"word {number} of {reply_id}")
        for reply_id in replies:
            await edge.log.append(reply_id, DONE)
        for line in lines:
            await until(line, "completed")


async def until(lines: AsyncIterator[str], words: str) -> None:
    """Reads on to the line that holds the words."""
    async with asyncio.timeout(120):
        async for line in lines:
            if words in line:
                return
    raise AssertionError(f"The stream ended before {words!r} came.")
