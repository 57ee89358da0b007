"""What BuildAvatar promises, on a real channel: a photo becomes an avatar that speaks, or a clear refusal."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2

from services.lipsync.avatars import zip_bundle
from tests.fakes import clips, portraits, tiny_models
from tests.fakes.lipsync_worker import Worker, animated, running_worker, tone

STEPS = ["reading", "face", "mouth", "loop", "packing"]
SMALLEST_BUNDLE, LARGEST_BUNDLE = 100_000, 3_000_000


@dataclass
class Built:
    """Everything a call answered."""

    steps: list[tuple[str, float]] = field(default_factory=list)
    bundle: bytes = b""
    avatar: lipsync_pb2.Avatar = field(default_factory=lipsync_pb2.Avatar)
    announced_id: str = ""


def build_requests(
    photo: bytes, name: str = "Ada", media_type: str = "image/png", byte_count: int | None = None
) -> Iterator[lipsync_pb2.BuildAvatarRequest]:
    start = lipsync_pb2.BuildAvatarStart(
        name=name, media_type=media_type, byte_count=len(photo) if byte_count is None else byte_count
    )
    yield lipsync_pb2.BuildAvatarRequest(start=start)
    for place in range(0, len(photo), 60_000):
        yield lipsync_pb2.BuildAvatarRequest(chunk=photo[place : place + 60_000])


async def built(worker: Worker, photo: bytes, **start: Any) -> Built:
    answer = Built()
    with calling("video"):
        async for response in worker.BuildAvatar(build_requests(photo, **start)):
            match response.WhichOneof("event"):
                case "started":
                    answer.announced_id = response.started.avatar_id
                case "progress":
                    answer.steps.append((response.progress.step, response.progress.fraction))
                case "chunk":
                    answer.bundle += response.chunk
                case "finished":
                    answer.avatar = response.finished
    return answer


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def worker(models_dir: Path) -> AsyncIterator[Worker]:
    async with running_worker(models_dir) as stub:
        yield stub


async def put(worker: Worker, bundle: bytes, avatar_hash: str) -> lipsync_pb2.Avatar:
    def requests() -> Iterator[lipsync_pb2.PutAvatarRequest]:
        start = lipsync_pb2.PutAvatarStart(avatar_hash=avatar_hash, byte_count=len(bundle))
        yield lipsync_pb2.PutAvatarRequest(start=start)
        for place in range(0, len(bundle), 60_000):
            yield lipsync_pb2.PutAvatarRequest(chunk=bundle[place : place + 60_000])

    with calling("video"):
        return (await worker.PutAvatar(requests())).avatar


@pytest.mark.slow
async def test_a_photo_becomes_an_avatar_that_any_worker_can_be_given(
    worker: Worker, models_dir: Path
) -> None:
    answer = await built(worker, portraits.encoded(portraits.face()))

    assert list(dict.fromkeys(step for step, _ in answer.steps)) == STEPS
    fractions = [fraction for _, fraction in answer.steps]
    assert fractions == sorted(fractions)
    assert len(fractions) > 10
    assert (answer.avatar.name, answer.avatar.id, answer.avatar.idle_seconds) == ("Ada", "ada", 8.0)
    assert answer.announced_id == answer.avatar.id
    assert not answer.avatar.synthetic
    assert answer.avatar.licence == "provided by the uploader"
    assert SMALLEST_BUNDLE < len(answer.bundle) < LARGEST_BUNDLE
    bundle = zip_bundle(answer.bundle, 64 << 20)
    assert bundle.hash == answer.avatar.hash
    assert bundle.file(bundle.manifest.files.poster).startswith(b"\xff\xd8")

    pcm = tone(16)
    spoken = await animated(worker, pcm, avatar_hash=answer.avatar.hash)
    async with running_worker(models_dir) as other:
        with pytest.raises(Failure) as caught, calling("video"):
            await animated(other, pcm, avatar_hash=answer.avatar.hash)
        assert caught.value.type is FailureType.AVATAR_MISSING
        assert await put(other, answer.bundle, answer.avatar.hash) == answer.avatar
        again = await animated(other, pcm, avatar_hash=answer.avatar.hash)
    assert hashlib.sha256(again.media).digest() == hashlib.sha256(spoken.media).digest()


@pytest.mark.parametrize(
    ("photo", "start", "words"),
    [
        (portraits.encoded(portraits.covered_mouth()), {}, "The mouth cannot be seen"),
        (b"no image", {}, "not a JPEG, PNG or WebP"),
        (b"GIF89a", {"media_type": "image/gif"}, "must be a JPEG, PNG or WebP"),
        (clips.clip(clips.swaying(30)), {"media_type": "video/mp4"}, "lasts 1.2 s, it must last 2 to 10 s"),
        (b"short", {"byte_count": 6}, "byte_count announced"),
        (b"long", {"byte_count": 17 << 20}, "16 MiB"),
        (b"", {}, "The file is empty"),
        (b"x", {"name": "  "}, "name has 1 to 64"),
    ],
    ids=["masked", "no image", "gif", "short clip", "short", "too large", "empty", "nameless"],
)
async def test_what_cannot_become_an_avatar_is_refused(
    worker: Worker, photo: bytes, start: dict[str, Any], words: str
) -> None:
    with pytest.raises(Failure, match=words) as caught:
        await built(worker, photo, **start)
    assert caught.value.type is FailureType.INVALID_REQUEST


async def test_one_avatar_is_built_at_a_time_and_leaving_frees_the_place(worker: Worker) -> None:
    photo = portraits.encoded(portraits.face())
    first = worker.BuildAvatar(build_requests(photo))
    await first.read()
    with pytest.raises(Failure) as caught:
        await built(worker, photo)
    assert caught.value.type is FailureType.BUSY

    first.cancel()
    async with asyncio.timeout(60):
        while True:
            second = worker.BuildAvatar(build_requests(photo))
            try:
                with calling("video"):
                    answer = await second.read()
                break
            except Failure as failure:
                assert failure.type is FailureType.BUSY
                await asyncio.sleep(failure.retry_after_seconds or 0)
    assert isinstance(answer, lipsync_pb2.BuildAvatarResponse)
    second.cancel()


async def test_a_build_that_takes_too_long_is_given_up(models_dir: Path) -> None:
    async with running_worker(models_dir, build_seconds=0.05) as worker:
        with pytest.raises(Failure) as caught:
            await built(worker, portraits.encoded(portraits.face()))
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
