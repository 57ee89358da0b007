"""What PutAvatar promises, on a real channel: avatars that are handed over, and those that are not taken."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import (
    Worker,
    animate_requests,
    animated,
    failure_of,
    running_worker,
    tone,
)


def put_requests(
    data: bytes, avatar_hash: str, byte_count: int | None = None
) -> Iterator[lipsync_pb2.PutAvatarRequest]:
    count = len(data) if byte_count is None else byte_count
    start = lipsync_pb2.PutAvatarStart(avatar_hash=avatar_hash, byte_count=count)
    yield lipsync_pb2.PutAvatarRequest(start=start)
    for place in range(0, len(data), 1000):
        yield lipsync_pb2.PutAvatarRequest(chunk=data[place : place + 1000])


async def test_an_avatar_that_was_missing_speaks_once_it_is_handed_over(worker: Worker) -> None:
    files = tiny_models.avatar_files("guest")
    avatar_hash = tiny_models.bundle_hash(files)
    before = await failure_of(worker, animate_requests(tone(8), avatar_id="guest", avatar_hash=avatar_hash))

    response = await worker.PutAvatar(put_requests(tiny_models.zipped(files), avatar_hash))
    animation = await animated(worker, tone(8), avatar_id="guest", avatar_hash=avatar_hash)

    assert before.type is FailureType.AVATAR_MISSING
    assert (response.avatar.id, response.avatar.hash, response.avatar.default) == (
        "guest",
        avatar_hash,
        False,
    )
    assert len(animation.fragments) == 1


async def test_the_avatar_used_longest_ago_makes_room_for_a_new_one(models_dir: Path) -> None:
    async with running_worker(models_dir, loaded_avatars=2) as worker:
        hashes = []
        for name in ("first", "second"):
            files = tiny_models.avatar_files(name)
            hashes.append(tiny_models.bundle_hash(files))
            await worker.PutAvatar(put_requests(tiny_models.zipped(files), hashes[-1]))
        await animated(worker, tone(8), avatar_hash=hashes[0])
        await animated(worker, tone(8))

        gone = await failure_of(worker, animate_requests(tone(8), avatar_hash=hashes[1]))
        kept = await animated(worker, tone(8), avatar_hash=hashes[0])
    assert gone.type is FailureType.AVATAR_MISSING
    assert len(kept.fragments) == 1


def damaged(name: str) -> tuple[bytes, str]:
    files = tiny_models.avatar_files("guest")
    files[name] = files[name][:-1] + bytes([files[name][-1] ^ 1])
    return tiny_models.zipped(files), tiny_models.bundle_hash(files)


def damaged_on_the_way(name: str) -> tuple[bytes, str]:
    """A packed file begins with a block of a type that there is not (RFC 1951, 3.2.3)."""
    files = tiny_models.avatar_files("guest")
    data = bytearray(tiny_models.zipped(files))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entry = archive.getinfo(name)
    # The local header, its name, then the packed bytes (APPNOTE 4.3.7).
    data[entry.header_offset + 30 + len(name)] |= 0b110
    return bytes(data), tiny_models.bundle_hash(files)


def incomplete() -> tuple[bytes, str]:
    files = tiny_models.avatar_files("guest")
    avatar_hash = tiny_models.bundle_hash(files)
    del files["speak.onnx"]
    return tiny_models.zipped(files), avatar_hash


def someone_elses_hash() -> tuple[bytes, str]:
    return tiny_models.zipped(tiny_models.avatar_files("guest")), "0" * 64


def climbing_out() -> tuple[bytes, str]:
    files = tiny_models.avatar_files("guest")
    text = files["manifest.json"].replace(b'"speak.onnx"', b'"../speak.onnx"')
    files = {**files, "../speak.onnx": files["speak.onnx"], "manifest.json": text}
    return tiny_models.zipped(files), hashlib.sha256(text).hexdigest()


@pytest.mark.parametrize(
    ("bundle", "words"),
    [
        (lambda: (b"no zip at all", "0" * 64), "not a zip"),
        (lambda: (tiny_models.zipped({"else.txt": b"x"}), "0" * 64), "no manifest.json"),
        (lambda: damaged("speak.onnx"), "speak.onnx is damaged"),
        (lambda: damaged("loop.mp4"), "loop.mp4 is damaged"),
        (lambda: damaged_on_the_way("manifest.json"), "a damaged one"),
        (lambda: damaged_on_the_way("speak.onnx"), "speak.onnx cannot be unpacked"),
        (incomplete, "speak.onnx is missing"),
        (someone_elses_hash, "hash announced"),
        (climbing_out, "files.speak.path"),
        (lambda: (tiny_models.zipped({"manifest.json": b"{}", "zeros": bytes(9 << 20)}), ""), "larger than"),
    ],
)
async def test_a_bundle_that_cannot_be_trusted_is_refused(models_dir: Path, bundle: Any, words: str) -> None:
    data, avatar_hash = bundle()
    async with running_worker(models_dir, max_bundle_bytes=8 << 20) as worker:
        with pytest.raises(Failure) as caught, calling("video"):
            await worker.PutAvatar(put_requests(data, avatar_hash))
    assert caught.value.type is FailureType.INVALID_REQUEST
    assert words in caught.value.detail


async def test_a_bundle_that_is_too_large_is_refused_before_it_is_read(models_dir: Path) -> None:
    async with running_worker(models_dir, max_bundle_bytes=1000) as worker:
        with pytest.raises(Failure, match="may have 1000 bytes"), calling("video"):
            await worker.PutAvatar(put_requests(b"", "0" * 64, byte_count=1001))
        with pytest.raises(Failure, match="byte_count announced"), calling("video"):
            await worker.PutAvatar(put_requests(bytes(900), "0" * 64, byte_count=800))
