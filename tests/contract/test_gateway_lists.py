"""What the gateway offers besides replies: lists, counts, health, the page and its protection."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import fragments
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import CONTEXT_TOKENS


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path, sleeping_stages={"video"}) as served:
        yield served


async def test_models_voices_and_avatars_are_listed(gateway: ServedGateway) -> None:
    models = (await gateway.http.get("/v1/models")).json()["models"]
    assert models[0]["id"] == "tiny"
    assert models[0]["provider"] == {"name": "embedded", "embedded": True}
    voices = (await gateway.http.get("/v1/voices")).json()["voices"]
    assert [voice["name"] for voice in voices] == ["hum-en", "hum-zh"]
    avatars = (await gateway.http.get("/v1/avatars")).json()["avatars"]
    assert avatars[0]["id"] == "grey"
    assert avatars[0] == (await gateway.http.get("/v1/avatars/grey")).json()


async def test_an_avatar_shows_its_face_and_its_idle_loop(gateway: ServedGateway) -> None:
    avatar = (await gateway.http.get("/v1/avatars/grey")).json()
    poster = await gateway.http.get(avatar["poster_url"])
    assert (poster.headers["Content-Type"], poster.content) == ("image/jpeg", fragments.poster())
    assert "immutable" in poster.headers["Cache-Control"]
    idle = await gateway.http.get(avatar["idle_url"])
    assert (idle.headers["Content-Type"], idle.content) == ("video/mp4", fragments.idle_loop())


async def test_an_avatar_file_is_asked_for_once(gateway: ServedGateway, stages: FakeStages) -> None:
    first = await gateway.http.get("/v1/avatars/grey/idle.mp4")
    await stages.lipsync_server.stop()
    again = await gateway.http.get("/v1/avatars/grey/idle.mp4", headers={"Range": "bytes=10-19"})
    assert (again.status_code, again.content) == (206, first.content[10:20])
    unchanged = {"If-None-Match": first.headers["ETag"]}
    assert (await gateway.http.get("/v1/avatars/grey/idle.mp4", headers=unchanged)).status_code == 304


async def test_an_unknown_avatar_is_404(gateway: ServedGateway) -> None:
    for part in ("", "/poster.jpg", "/idle.mp4"):
        assert (await gateway.http.get(f"/v1/avatars/nobody{part}")).json()["type"] == "not-found"


async def test_tokens_are_counted(gateway: ServedGateway) -> None:
    response = await gateway.http.post(
        "/v1/tokens", json={"messages": [{"role": "user", "content": "one two three"}]}
    )
    assert response.json() == {"prompt_tokens": 9, "context_tokens": CONTEXT_TOKENS}
    refused = await gateway.http.post("/v1/tokens", json={"messages": []})
    assert refused.status_code == 422


async def test_readiness_tells_how_each_stage_is(gateway: ServedGateway, stages: FakeStages) -> None:
    await gateway.http.get("/v1/avatars")
    ready = await gateway.http.get("/readyz")
    assert ready.status_code == 200
    assert set(ready.json()["stages"].values()) == {"serving"}
    await stages.tts_server.stop()
    await stages.lipsync_server.stop()
    async with asyncio.timeout(30):
        # A lost connection takes a moment to be noticed.
        while True:
            states = (await gateway.http.get("/readyz")).json()["stages"]
            if states["video"] != "serving":
                break
            await asyncio.sleep(0.05)
    assert states == {"gateway": "serving", "text": "serving", "speech": "down", "video": "asleep"}
    assert (await gateway.http.get("/healthz")).status_code == 200


async def test_a_draining_gateway_is_not_ready_and_takes_no_replies(gateway: ServedGateway) -> None:
    await gateway.inside.running.drain(0)
    assert (await gateway.http.get("/readyz")).status_code == 503
    refused = await gateway.http.post("/v1/replies", json={"say": "Hello."})
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "2")


async def test_the_page_is_served_under_a_strict_policy(gateway: ServedGateway) -> None:
    page = await gateway.http.get("/")
    assert page.headers["Content-Type"].startswith("text/html")
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ["/", "/js/main.js", "/favicon.svg"])
async def test_a_file_of_the_page_is_sent_again_only_when_it_has_changed(
    gateway: ServedGateway, path: str
) -> None:
    first = await gateway.http.get(path)
    assert (first.status_code, first.headers["Cache-Control"]) == (200, "no-cache")
    unchanged = await gateway.http.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, unchanged.headers["Cache-Control"]) == (304, "no-cache")
    changed = await gateway.http.get(path, headers={"If-None-Match": '"older"'})
    assert changed.content == first.content


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.example"}, {"Host": "evil.example:8000"}, {"Sec-Fetch-Site": "cross-site"}]
)
async def test_pages_of_other_sites_are_kept_out(gateway: ServedGateway, headers: dict[str, str]) -> None:
    response = await gateway.http.post("/v1/replies", json={"say": "Hello."}, headers=headers)
    assert (response.status_code, response.json()["type"]) == (403, "forbidden")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "[::1]:8000", "[::1]"])
async def test_names_of_this_machine_are_let_in(gateway: ServedGateway, host: str) -> None:
    assert (await gateway.http.get("/healthz", headers={"Host": host})).status_code == 200


async def test_the_api_describes_itself(gateway: ServedGateway) -> None:
    described = (await gateway.http.get("/openapi.json")).json()
    assert "/v1/replies" in described["paths"]
    body = described["paths"]["/v1/replies"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/json", "multipart/form-data"}
    events = described["paths"]["/v1/replies/{reply_id}/events"]["get"]["responses"]["200"]["content"]
    assert set(events) == {"text/event-stream", "application/x-ndjson"}


async def test_a_network_is_chosen_by_a_name_that_is_listed(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    listed = (await gateway.http.get("/v1/networks")).json()["networks"]
    assert [network["name"] for network in listed] == ["plain"]
    await gateway.reply({"say": "Hello.", "network": "plain"})
    assert {start.network for start in stages.lipsync.starts} == {"plain"}
    refused = await gateway.http.post("/v1/replies", json={"say": "Hello.", "network": "fancy"})
    assert (refused.status_code, refused.json()["type"]) == (422, "unknown-network")
