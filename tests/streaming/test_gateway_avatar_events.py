"""An avatar is made while its uploader watches: progress, then one terminal event, whatever happens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import httpx_sse
import pytest
import pytest_asyncio
import redis.asyncio
from visavis.rpc.failures import Failure, FailureType

from gateway.valkey.tickets import STREAM
from tests.fakes import fragments
from tests.fakes.avatar_builds import REFUSAL, STEPS
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway, Told, served_gateway
from tests.fakes.stages import FakeStages

SSE, NDJSON = "text/event-stream", "application/x-ndjson"
OTHER_PHOTO = fragments.poster() + b"of another size"


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path, patience_seconds=60) as served:
        yield served


def upload(photo: bytes = b"", name: str = "Ada") -> dict[str, Any]:
    return {
        "data": {"name": name, "consent": "true"},
        "files": {"image": ("photo.jpg", photo or fragments.poster(), "image/jpeg")},
    }


@asynccontextmanager
async def posted(gateway: ServedGateway, accept: str = SSE, **given: Any) -> AsyncIterator[httpx.Response]:
    async with gateway.http.stream(
        "POST", "/v1/avatars", headers={"Accept": accept}, **upload(**given)
    ) as response:
        yield response


async def told(response: httpx.Response) -> AsyncGenerator[Told, None]:
    if response.headers["Content-Type"].startswith(NDJSON):
        async for line in response.aiter_lines():
            if line:
                event = json.loads(line)
                yield Told(event["id"], event["event"], event["data"])
        return
    async for sent in httpx_sse.EventSource(response).aiter_sse():
        yield Told(int(sent.id), sent.event, json.loads(sent.data))


async def watched(gateway: ServedGateway, accept: str = SSE, **given: Any) -> list[Told]:
    async with posted(gateway, accept, **given) as response:
        assert response.status_code == 200, await response.aread()
        assert response.headers["X-Accel-Buffering"] == "no"
        events = [event async for event in told(response)]
    assert [event.id for event in events] == list(range(1, len(events) + 1))
    assert [event.type for event in events[:-1]] == ["progress"] * (len(events) - 1)
    fractions = [event.data["fraction"] for event in events[:-1]]
    assert fractions == sorted(fractions)
    assert all(0 <= fraction < 1 for fraction in fractions)
    return events


def without_its_record(folder: Path) -> list[Path]:
    """The files of the only avatar, as a gateway leaves them that dies before it writes the record."""
    [record] = folder.rglob("avatar.json")
    record.unlink()
    return [file for file in record.parent.rglob("*") if file.is_file()]


@pytest.mark.parametrize("accept", [SSE, NDJSON])
async def test_every_step_is_told_and_the_last_event_is_the_avatar(
    gateway: ServedGateway, accept: str
) -> None:
    events = await watched(gateway, accept)
    steps = [event.data["step"] for event in events[:-1]]
    assert list(dict.fromkeys(steps)) == list(dict.fromkeys(["waiting", *(step for step, _ in STEPS)]))
    assert events[-1].type == "done"
    assert events[-1].data == (await gateway.http.get("/v1/avatars/ada")).json()


async def test_who_does_not_watch_gets_the_avatar_itself(gateway: ServedGateway) -> None:
    added = await gateway.http.post("/v1/avatars", **upload())
    assert (added.status_code, added.headers["Location"]) == (201, "/v1/avatars/ada")
    assert added.json() == (await gateway.http.get("/v1/avatars/ada")).json()


async def test_a_bad_photo_is_refused_in_the_same_sentence_on_either_path(gateway: ServedGateway) -> None:
    refused = await gateway.http.post("/v1/avatars", **upload(b"no JPEG"))
    assert (refused.status_code, refused.json()["detail"]) == (422, REFUSAL)
    events = await watched(gateway, photo=b"no JPEG")
    assert events[-1].type == "error"
    assert events[-1].data | {"trace_id": ""} == refused.json() | {"trace_id": ""}
    assert (await gateway.http.get("/v1/avatars/ada")).status_code == 404


async def test_what_is_known_before_is_the_posts_own_status(gateway: ServedGateway) -> None:
    headers = {"Accept": SSE}
    nameless = await gateway.http.post("/v1/avatars", headers=headers, **upload(name=" "))
    assert (nameless.status_code, nameless.json()["errors"][0]["field"]) == (422, "name")
    assert nameless.headers["Content-Type"] == "application/problem+json"


async def test_a_name_that_is_taken_is_refused_before_any_work(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    await gateway.http.post("/v1/avatars", **upload())
    again = await gateway.http.post("/v1/avatars", **upload())
    assert (again.status_code, again.json()["type"]) == (409, "avatar-exists")
    events = await watched(gateway)
    assert [event.data.get("step") for event in events] == ["waiting", None]
    assert (events[-1].data["type"], events[-1].data["status"]) == ("avatar-exists", 409)
    shipped = await watched(gateway, name="Grey")
    assert shipped[-1].data["type"] == "avatar-exists"


async def test_what_a_gateway_left_that_died_before_the_record_takes_no_name(
    gateway: ServedGateway, tmp_path: Path
) -> None:
    await gateway.http.post("/v1/avatars", **upload())
    left = without_its_record(tmp_path)
    assert {file.name for file in left} == {"bundle.zip", "poster.jpg", "loop.mp4"}
    assert (await gateway.http.get("/v1/avatars/ada")).status_code == 404
    added = await gateway.http.post("/v1/avatars", **upload(OTHER_PHOTO))
    assert added.status_code == 201
    assert (await gateway.http.get(added.json()["idle_url"])).status_code == 200
    assert not any(file.exists() for file in left)
    assert (await gateway.http.delete("/v1/avatars/ada")).status_code == 204
    assert (await gateway.http.post("/v1/avatars", **upload())).status_code == 201


async def test_of_two_with_one_name_that_are_made_at_once_the_first_to_be_done_is_kept(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.lipsync.builds.plan(Fault(after=5, gate=gate))
    async with posted(gateway) as response, aclosing(told(response)) as events:
        async for event in events:
            if event.data["step"] == "mouth":
                break
        first = await gateway.http.post("/v1/avatars", **upload(OTHER_PHOTO))
        gate.set()
        last = [event async for event in events][-1]
    assert (first.status_code, last.data["type"]) == (201, "avatar-exists")
    assert (await gateway.http.get("/v1/avatars/ada")).json() == first.json()
    assert (await gateway.http.get(first.json()["poster_url"])).status_code == 200


async def test_a_worker_that_dies_leaves_the_work_to_another_and_nothing_moves_back(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gone = Failure(FailureType.STAGE_UNAVAILABLE, "It was killed.")
    stages.lipsync.builds.plan(Fault(after=5, failure=gone))
    events = await watched(gateway)
    assert stages.lipsync.builds.calls == 2
    steps = [event.data["step"] for event in events[:-1]]
    assert "waiting" in steps[steps.index("loop") :]
    assert events[-1].type == "done"


async def test_who_leaves_ends_the_work_and_nothing_is_kept(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    stages.lipsync.builds.plan(Fault(after=4, gate=asyncio.Event()))
    async with posted(gateway) as response, aclosing(told(response)) as events:
        async for event in events:
            if event.data["step"] == "mouth":
                break
    async with asyncio.timeout(30):
        await stages.lipsync.builds.cut_off.wait()
    assert (await gateway.http.get("/v1/avatars/ada")).status_code == 404


async def test_a_sleeping_worker_is_woken_by_a_ticket_and_pings_keep_the_line(
    stages: FakeStages, valkey: str, tmp_path: Path
) -> None:
    settings = {"sleeping_stages": {"video"}, "valkey_url": valkey, "patience_seconds": 60}
    await stages.lipsync_server.stop()
    async with (
        redis.asyncio.Redis.from_url(valkey) as client,
        served_gateway(stages, tmp_path, ping_seconds=0.05, **settings) as gateway,
        posted(gateway) as response,
    ):
        lines = response.aiter_lines()
        heard = [await anext(lines)]
        while not heard[-1].startswith(":"):
            heard.append(await anext(lines))
        assert '"step":"waiting"' in "".join(heard)
        assert await client.xlen(STREAM) == 1
        await stages.lipsync_server.start()
        heard += [line async for line in lines]
        assert "event: done" in heard
        assert await client.xlen(STREAM) == 0


async def test_a_face_that_is_being_deleted_is_not_there(gateway: ServedGateway, tmp_path: Path) -> None:
    added = (await gateway.http.post("/v1/avatars", **upload())).json()
    assert (await gateway.http.get(added["poster_url"])).status_code == 200
    # Its record may be the last that goes.
    for poster in (tmp_path / "media").rglob("poster.jpg"):
        poster.unlink()
    gone = await gateway.http.get(added["poster_url"])
    assert (gone.status_code, gone.json()["type"]) == (404, "not-found")
