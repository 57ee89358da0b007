"""Readers come, go, sleep and come back; each hears every event once, and no reader slows a reply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON, ServedGateway, Told, check_story, served_gateway
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
    async with served_gateway(served_stages, folder, ping_seconds=0.05) as gateway:
        yield gateway


@pytest.fixture
def gateway(served: ServedGateway, stages: FakeStages) -> ServedGateway:
    return served


async def test_resuming_at_every_position_misses_and_doubles_nothing(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    whole = await gateway.events(reply_id)
    for position in range(1, len(whole)):
        assert await gateway.events(reply_id, after=position) == whole[position:]
        by_query = await gateway.http.get(f"/v1/replies/{reply_id}/events?after={position}")
        assert by_query.text.count("\nid: ") == len(whole) - position


async def test_a_reader_that_drops_after_every_event_still_hears_all(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    heard: list[Told] = []
    while not heard or heard[-1].type not in ("done", "error"):
        async for event in gateway.live(reply_id, after=len(heard)):
            heard.append(event)
            break
    check_story(heard)
    assert heard == await gateway.events(reply_id)


async def test_an_up_to_date_reader_gets_204_after_the_end(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    last = (await gateway.events(reply_id))[-1].id
    url = f"/v1/replies/{reply_id}/events"
    assert (await gateway.http.get(url, headers={"Last-Event-ID": str(last)})).status_code == 204
    assert (await gateway.http.get(f"{url}?after={last}")).status_code == 204


async def test_an_id_that_never_was_is_refused(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    reply_id = await gateway.post()
    for wrong in ("999", "abc", "-1"):
        answer = await gateway.http.get(f"/v1/replies/{reply_id}/events", headers={"Last-Event-ID": wrong})
        assert (answer.status_code, answer.json()["type"]) == (400, "unknown-event-id")
    gate.set()
    await gateway.events(reply_id)


async def test_work_starts_without_any_reader(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    log = gateway.inside.log
    seen = 0
    while not (events := await log.read(reply_id, seen, 5))[-1].terminal:
        seen = events[-1].id
    assert events[-1].data["status"] == "completed"


async def test_a_reader_that_leaves_does_not_stop_the_reply(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.tts.faults.plan(Fault(after=1, gate=gate))
    async with gateway.http.stream(
        "POST", "/v1/replies", json=MOON, headers={"Accept": "text/event-stream"}
    ) as response:
        reply_id = response.headers["Location"].rsplit("/", 1)[1]
        async for line in response.aiter_lines():
            if line == "event: text_ok":
                break
    gate.set()
    assert (await gateway.events(reply_id))[-1].data["status"] == "completed"


async def test_a_reader_that_never_reads_slows_nobody(gateway: ServedGateway) -> None:
    reply_id = await gateway.post({"say": "A rather long text. " * 40, "outputs": ["text"]})
    port = gateway.http.base_url.port
    _reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1)
    writer.write(f"GET /v1/replies/{reply_id}/events HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    check_story(await gateway.events(reply_id))
    writer.close()


async def test_many_readers_hear_the_same(gateway: ServedGateway) -> None:
    reply_id = await gateway.post()
    stories = await asyncio.gather(*(gateway.events(reply_id) for _ in range(20)))
    assert all(story == stories[0] for story in stories)


async def test_silence_is_filled_with_pings(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    reply_id = await gateway.post()
    async with gateway.http.stream("GET", f"/v1/replies/{reply_id}/events") as response:
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-cache"
        assert response.headers["X-Accel-Buffering"] == "no"
        lines = []
        async for line in response.aiter_lines():
            lines.append(line)
            if line == ": ping":
                gate.set()
        assert lines.count("retry: 1000") == 1
        assert ": ping" in lines


async def test_the_post_itself_can_be_the_stream(gateway: ServedGateway) -> None:
    response = await gateway.http.post("/v1/replies", json=MOON, headers={"Accept": "text/event-stream"})
    assert response.status_code == 200
    reply_id = response.headers["Location"].rsplit("/", 1)[1]
    ids = [line.removeprefix("id: ") for line in response.text.splitlines() if line.startswith("id: ")]
    assert ids == [str(event.id) for event in await gateway.events(reply_id)]


async def test_the_same_events_come_as_ndjson(gateway: ServedGateway) -> None:
    response = await gateway.http.post("/v1/replies", json=MOON, headers={"Accept": "application/x-ndjson"})
    assert response.headers["Content-Type"].startswith("application/x-ndjson")
    lines = [json.loads(line) for line in response.text.splitlines() if line]
    reply_id = lines[0]["data"]["reply_id"]
    assert [(line["id"], line["event"], line["data"]) for line in lines] == [
        (event.id, event.type, event.data) for event in await gateway.events(reply_id)
    ]


async def test_prefer_wait_answers_with_the_finished_reply(gateway: ServedGateway) -> None:
    response = await gateway.http.post("/v1/replies", json=MOON, headers={"Prefer": "wait=20"})
    assert (response.status_code, response.json()["status"]) == (200, "completed")
    assert response.headers["Preference-Applied"] == "wait=20"


@pytest.mark.parametrize("reason", ["length", "content_filter"])
async def test_an_answer_that_was_cut_says_so_everywhere(
    gateway: ServedGateway, stages: FakeStages, reason: str
) -> None:
    stages.text.finish_reason = reason
    waited = (await gateway.http.post("/v1/replies", json=MOON, headers={"Prefer": "wait=20"})).json()
    kept = (await gateway.http.get(f"/v1/replies/{waited['id']}")).json()
    told = [event.data for event in await gateway.events(waited["id"]) if event.type == "text_ok"]
    assert [reply["finish_reason"] for reply in (waited, kept, *told)] == [reason] * 3


async def test_prefer_wait_answers_202_when_the_time_is_up(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(gate=gate))
    response = await gateway.http.post("/v1/replies", json=MOON, headers={"Prefer": "respond-async, wait=0"})
    assert (response.status_code, response.json()["status"]) == (202, "running")
    gate.set()
    await gateway.events(response.json()["id"])


async def test_the_snapshot_grows_with_the_log(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=3, gate=gate))
    reply_id = await gateway.post()
    async for event in gateway.live(reply_id):
        if event.data.get("delta") == "moon ":
            break
    early = (await gateway.http.get(f"/v1/replies/{reply_id}")).json()
    assert (early["status"], early["text"]) == ("running", "The moon ")
    gate.set()
    last = (await gateway.events(reply_id))[-1]
    late = (await gateway.http.get(f"/v1/replies/{reply_id}")).json()
    assert (late["status"], late["fraction"], late["last_event_id"]) == ("completed", 1.0, last.id)
    assert late["usage"] == last.data["usage"]


async def test_a_client_without_a_connection_to_spare_is_not_needed(gateway: ServedGateway) -> None:
    """The whole life of a reply over one connection that is opened anew for each request."""
    async with httpx.AsyncClient(base_url=gateway.http.base_url, headers={"Connection": "close"}) as http:
        reply = (await http.post("/v1/replies", json=MOON)).json()
        await http.get(reply["events_url"])
        assert (await http.get(reply["video_url"])).headers["Content-Type"] == "video/mp4"
