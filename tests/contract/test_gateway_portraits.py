"""A photo posted to the gateway becomes an avatar that speaks: a real video worker, the real gateway."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.fakes import clips, portraits, tiny_models
from tests.fakes.google_object_server import google_object_server
from tests.fakes.lipsync_worker import serving_worker
from tests.fakes.served_gateway import ServedGateway, check_story, served_gateway
from tests.fakes.stages import FakeStages


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, models_dir: Path, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with (
        serving_worker(models_dir) as worker,
        served_gateway(stages, tmp_path, lipsync_target=worker) as served,
    ):
        yield served


@pytest.fixture
def bucket_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with google_object_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield f"{server.bucket_url}/faces"


async def posted(gateway: ServedGateway, photo: bytes, **fields: str) -> httpx.Response:
    body = {"name": "Ada", "consent": "true", **fields}
    files = {"image": ("photo.png", photo, "image/png")}
    return await gateway.http.post("/v1/avatars", data=body, files=files, timeout=120)


def ids(listed: httpx.Response) -> list[str]:
    return [avatar["id"] for avatar in listed.json()["avatars"]]


@pytest.mark.slow
async def test_a_portrait_is_added_to_a_bucket_speaks_on_any_worker_and_is_deleted(
    stages: FakeStages, models_dir: Path, tmp_path: Path, bucket_url: str
) -> None:
    async with (
        serving_worker(models_dir) as worker,
        served_gateway(stages, tmp_path, lipsync_target=worker, avatars=bucket_url) as gateway,
    ):
        added = await posted(gateway, portraits.encoded(portraits.face()))
        assert added.status_code == 201, added.text
        avatar = added.json()
        assert (avatar["id"], avatar["name"], avatar["synthetic"]) == ("ada", "Ada", False)
        assert added.headers["Location"] == "/v1/avatars/ada"
        assert ids(await gateway.http.get("/v1/avatars")) == ["dot", "ada"]
        assert (await gateway.http.get("/v1/avatars/ada")).json() == avatar
        poster = await gateway.http.get(avatar["poster_url"])
        assert (poster.headers["Content-Type"], poster.content[:2]) == ("image/jpeg", b"\xff\xd8")
        idle = await gateway.http.get(avatar["idle_url"])
        assert (idle.headers["Content-Type"], idle.content[4:8]) == ("video/mp4", b"ftyp")

        again = await posted(gateway, portraits.encoded(portraits.face()))
        assert (again.status_code, again.json()["type"]) == (409, "avatar-exists")

        # Another gateway on the same bucket, with a worker that has never seen this face.
        async with (
            serving_worker(models_dir) as other_worker,
            served_gateway(stages, tmp_path, lipsync_target=other_worker, avatars=bucket_url) as other,
        ):
            told = await other.reply({"say": "Hello.", "avatar": "ada"})
            check_story(told)
            assert told[-1].type == "done"
            assert "video_ok" in [event.type for event in told]

        assert (await gateway.http.delete("/v1/avatars/ada")).status_code == 204
        assert ids(await gateway.http.get("/v1/avatars")) == ["dot"]
        assert (await gateway.http.get(avatar["poster_url"])).status_code == 404
        refused = await gateway.http.post("/v1/replies", json={"say": "Hello.", "avatar": "ada"})
        assert refused.json()["type"] == "unknown-avatar"


async def test_without_consent_no_portrait_is_taken(gateway: ServedGateway) -> None:
    for consent in ("", "false", "maybe"):
        refused = await posted(gateway, portraits.encoded(portraits.face()), consent=consent)
        assert refused.status_code == 422
        assert "consent=true" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("photo", "words"),
    [(portraits.covered_mouth(), "The mouth cannot be seen"), (portraits.turned(30), "tilted by 30 degrees")],
)
async def test_a_portrait_that_cannot_speak_is_refused_in_a_sentence(
    gateway: ServedGateway, photo: Any, words: str
) -> None:
    refused = await posted(gateway, portraits.encoded(photo))
    assert (refused.status_code, refused.json()["type"]) == (422, "invalid-request")
    assert words in refused.json()["detail"]


async def test_a_clip_that_is_too_short_is_refused_in_a_sentence(
    gateway: ServedGateway,
) -> None:
    files = {"image": ("ada.webm", clips.clip(clips.swaying(30), "libvpx", "webm"), "video/webm")}
    refused = await gateway.http.post("/v1/avatars", data={"name": "Ada", "consent": "true"}, files=files)
    assert (refused.status_code, refused.json()["type"]) == (422, "invalid-request")
    assert "lasts 1.2 s, it must last 2 to 10 s" in refused.json()["detail"]


async def test_a_body_that_is_no_form_is_refused(gateway: ServedGateway) -> None:
    refused = await gateway.http.post("/v1/avatars", json={"name": "Ada"})
    assert refused.status_code == 415
    nameless = await gateway.http.post("/v1/avatars", data={"consent": "true"}, files={"x": b""})
    assert {error["field"] for error in nameless.json()["errors"]} == {"image", "name"}


async def test_only_what_was_added_can_be_deleted(gateway: ServedGateway) -> None:
    assert (await gateway.http.delete("/v1/avatars/dot")).status_code == 404
    assert (await gateway.http.delete("/v1/avatars/nobody")).status_code == 404


@pytest.mark.parametrize("path", ["%2e%2e", "..%5C..", "ada%00", "a" * 100, "dot/poster.jpg?of=../x&v=1"])
async def test_no_address_leads_out_of_the_store(gateway: ServedGateway, path: str) -> None:
    answer = await gateway.http.get(f"/v1/avatars/{path}")
    assert answer.status_code in (200, 404)
    assert answer.status_code == 404 or path.startswith("dot")
