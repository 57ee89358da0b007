"""The events of a reply over a WebSocket: the same ones, from any position, for those who may have them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, Told, check_story, served_gateway
from tests.fakes.stages import FakeStages

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stages(served_stages: FakeStages) -> FakeStages:
    served_stages.forget()
    return served_stages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    served_stages: FakeStages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServedGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    sites = frozenset({"https://face.example"})
    async with served_gateway(served_stages, folder, ping_seconds=0.2, origins=sites) as gateway:
        yield gateway


@pytest.fixture
def gateway(served: ServedGateway, stages: FakeStages) -> ServedGateway:
    return served


def address(gateway: ServedGateway, reply_id: str, query: str = "") -> str:
    return f"ws://127.0.0.1:{gateway.http.base_url.port}/v1/replies/{reply_id}/socket{query}"


async def heard(gateway: ServedGateway, reply_id: str, query: str = "", origin: str = "") -> list[Told]:
    """Every frame until the server closes, which it does without complaint."""
    headers = {"Origin": origin} if origin else {}
    async with connect(address(gateway, reply_id, query), additional_headers=headers) as socket:
        frames = [json.loads(frame) async for frame in socket]
        assert socket.close_code == 1000
    return [Told(frame["id"], frame["event"], frame["data"]) for frame in frames]


async def refusal(gateway: ServedGateway, reply_id: str, query: str = "", **headers: str) -> tuple[int, str]:
    with pytest.raises(InvalidStatus) as refused:
        async with connect(address(gateway, reply_id, query), additional_headers=headers):
            pass
    response = refused.value.response
    return response.status_code, json.loads(response.body or b"{}")["type"]


async def test_a_socket_tells_the_same_story_as_the_stream(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    live = await heard(gateway, reply_id)
    check_story(live)
    assert live == await gateway.events(reply_id) == await heard(gateway, reply_id)


async def test_a_socket_goes_on_after_any_event(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    whole = await gateway.events(reply_id)
    for position in (1, len(whole) // 2, len(whole) - 1, len(whole)):
        assert await heard(gateway, reply_id, f"?after={position}") == whole[position:]


async def test_a_frame_comes_as_soon_as_its_event_is_made(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    reply_id = await gateway.post()
    async with connect(address(gateway, reply_id)) as socket:
        assert json.loads(await socket.recv())["event"] == "accepted"
        gate.set()
        frames = [json.loads(frame)["event"] async for frame in socket]
    assert frames[-1] == "done"


async def test_a_reader_that_leaves_does_not_stop_the_reply(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=1, gate=gate))
    reply_id = await gateway.post()
    async with connect(address(gateway, reply_id)) as socket:
        await socket.recv()
        await socket.send("What a client says is not listened to.")
    gate.set()
    assert (await gateway.events(reply_id))[-1].data["status"] == "completed"


async def test_a_reader_that_answers_no_ping_is_let_go_and_slows_nobody(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    reply_id = await gateway.post()
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.http.base_url.port)
    writer.write(
        f"GET /v1/replies/{reply_id}/socket HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        "Sec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    received = await reader.read(-1)
    writer.close()
    assert received.startswith(b"HTTP/1.1 101")
    assert b"keepalive ping timeout" in received
    gate.set()
    check_story(await gateway.events(reply_id))


async def test_an_unknown_reply_and_an_event_that_never_was_are_refused(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    assert await refusal(gateway, "nobody") == (404, "not-found")
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    reply_id = await gateway.post()
    assert await refusal(gateway, reply_id, "?after=999") == (400, "unknown-event-id")
    gate.set()
    await gateway.events(reply_id)


async def test_only_pages_of_this_site_and_of_listed_ones_may_listen(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    own = f"http://127.0.0.1:{gateway.http.base_url.port}"
    for origin in (own, "https://face.example"):
        assert (await heard(gateway, reply_id, origin=origin))[-1].type == "done"
    for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "http://["):
        assert await refusal(gateway, reply_id, Origin=origin) == (403, "forbidden")


async def test_a_name_that_only_points_here_is_refused(gateway: ServedGateway) -> None:
    port = gateway.http.base_url.port
    with pytest.raises(InvalidStatus) as refused:
        async with connect(f"ws://evil.example:{port}/v1/replies/x/socket", host="127.0.0.1", port=port):
            pass
    assert refused.value.response.status_code == 403
