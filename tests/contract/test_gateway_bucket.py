"""A gateway whose media lie in a bucket: whole replies, ranges, removal, and a bucket that goes away."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import fragments
from tests.fakes.google_object_server import google_object_server
from tests.fakes.object_server import ObjectServer, object_server
from tests.fakes.served_gateway import ServedGateway, check_story, served_gateway
from tests.fakes.stages import fake_stages

SPEECH = {"say": "The moon is a rock. It shines at night. Nobody lives there."}


@pytest.fixture(params=["s3", "gs"])
def bucket(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[ObjectServer]:
    with object_server() if request.param == "s3" else google_object_server(tmp_path) as server:
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        yield server


@pytest_asyncio.fixture
async def gateway(bucket: ObjectServer, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with (
        fake_stages() as stages,
        served_gateway(stages, tmp_path, data=f"{bucket.bucket_url}/faces/kept") as served,
    ):
        yield served


async def test_a_whole_reply_lies_in_its_own_folder_of_the_bucket_until_it_is_removed(
    gateway: ServedGateway, bucket: ObjectServer
) -> None:
    reply_id = await gateway.post(SPEECH)
    growing = (await gateway.http.get(f"/v1/replies/{reply_id}/video.mp4")).content
    events = await gateway.events(reply_id)
    check_story(events)
    assert events[-1].data["status"] == "completed"
    urls = [event.data["url"] for event in events if event.type == "fragment"]
    parts = [(await gateway.http.get(url)).content for url in urls]
    assert growing == fragments.init_segment() + b"".join(parts)
    folder = f"faces/kept/{reply_id}/"
    assert {f"{folder}{name}" for name in ("init.mp4", "0.m4s", "0.wav", "audio.wav", "video.mp4")} <= set(
        bucket.names()
    )
    assert not [name for name in bucket.names() if not name.startswith(folder)]
    url = events[-1].data["video_url"]
    whole = await gateway.http.get(url)
    part = await gateway.http.get(url, headers={"Range": "bytes=100-299"})
    assert (whole.status_code, part.status_code) == (200, 206)
    assert part.content == whole.content[100:300]
    assert (await gateway.http.delete(f"/v1/replies/{reply_id}")).status_code == 204
    assert bucket.names() == []


async def test_a_bucket_that_goes_away_fails_replies_clearly(
    gateway: ServedGateway, bucket: ObjectServer
) -> None:
    before = (await gateway.reply(SPEECH))[-1].data["video_url"]
    bucket.lose()
    terminal = (await gateway.reply(SPEECH))[-1]
    assert (terminal.type, terminal.data["type"]) == ("error", "stage-unavailable")
    assert terminal.data["retry_after_seconds"] > 0
    # What was made lately is still at hand.
    assert (await gateway.http.get(before)).status_code == 200


@pytest.mark.parametrize("bucket", ["s3"], indirect=True)
def test_a_process_with_a_wrong_bucket_stops_at_once_and_says_why(bucket: ObjectServer) -> None:
    elsewhere = f"{bucket.scheme}://elsewhere/x"
    environment = os.environ | {"GATEWAY_DATA": elsewhere, "GATEWAY_PORT": "0"}
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        out, err = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
    assert process.returncode == 1
    assert f"Media cannot be kept at {elsewhere} (FileNotFoundError: NoSuchBucket)" in err.decode()
    assert "Traceback" not in err.decode()
    assert bucket.secret not in (out + err).decode()
