"""What LipsyncService promises, on a real channel: events, bounds, failures, avatars that are handed over."""

from __future__ import annotations

import hashlib
import io
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import av
import pytest
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import (
    RATE_HZ,
    SAMPLES_PER_FRAME,
    Worker,
    animate_requests,
    animate_start,
    animated,
    running_worker,
    tone,
)
from tests.fakes.played import sound_of

Request = lipsync_pb2.AnimateRequest


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def worker(models_dir: Path) -> AsyncIterator[Worker]:
    async with running_worker(models_dir, max_utterance_seconds=10) as stub:
        yield stub


async def failure_of(worker: Worker, requests: Iterator[Request]) -> Failure:
    with pytest.raises(Failure) as caught, calling("video"):
        async for _ in worker.Animate(requests):
            pass
    return caught.value


async def test_an_utterance_is_answered_by_started_fragments_and_finished(worker: Worker) -> None:
    animation = await animated(worker, tone(64), start_frame=80)

    assert animation.order == ["started", "fragment", "fragment", "fragment", "fragment", "finished"]
    assert animation.started.frames_total == animation.finished.frames_total == 64
    assert animation.started.fps == 25
    assert animation.finished.render_seconds > 0
    spans = [(f.start_frame, f.frame_count, f.frames_done) for f in animation.fragments]
    assert spans == [(80, 8, 8), (88, 16, 24), (104, 24, 48), (128, 16, 64)]


async def test_the_media_type_names_the_codecs_that_are_inside(worker: Worker) -> None:
    animation = await animated(worker, tone(8))

    with av.open(io.BytesIO(animation.started.init_segment + animation.media), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        profile, level = video.codec_context.profile, video.codec_context.level
        assert (profile, audio.codec_context.profile) == ("Constrained Baseline", "LC")
        assert animation.started.mime == f'video/mp4; codecs="avc1.42c0{level:02x},mp4a.40.2"'


async def test_the_init_segment_is_the_same_for_every_utterance(worker: Worker) -> None:
    first = await animated(worker, tone(8))
    second = await animated(worker, tone(16, hz=700), start_frame=8)

    assert first.started.init_segment == second.started.init_segment


async def test_the_same_input_gives_the_same_bytes(worker: Worker) -> None:
    first = await animated(worker, tone(48), start_frame=16)
    second = await animated(worker, tone(48), start_frame=16)

    assert first.media == second.media


@pytest.mark.parametrize("resume_frame", [8, 24, 48, 64])
async def test_a_resumed_render_sends_the_bytes_the_first_one_would_have_sent(
    worker: Worker, resume_frame: int
) -> None:
    whole = await animated(worker, tone(64), start_frame=160)
    resumed = await animated(worker, tone(64), start_frame=160, resume_frame=resume_frame)

    missing = [f for f in whole.fragments if f.start_frame >= 160 + resume_frame]
    assert resumed.fragments == missing
    assert resumed.started.frames_total == 64


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
async def test_speech_of_any_common_rate_lasts_as_long_as_its_frames(worker: Worker, rate_hz: int) -> None:
    pcm = bytes(rate_hz // 25 * 16 * 2)
    animation = await animated(worker, pcm, sample_rate_hz=rate_hz)

    assert animation.started.frames_total == 16
    assert len(sound_of(animation.started.init_segment + animation.media)) == 16 * 1920


@pytest.mark.parametrize(
    ("fields", "type_", "words"),
    [
        ({"sample_count": 8 * SAMPLES_PER_FRAME + 1}, FailureType.INVALID_REQUEST, "multiple of 7680"),
        ({"sample_count": 0}, FailureType.INVALID_REQUEST, "above 0"),
        ({"sample_count": 4 * SAMPLES_PER_FRAME}, FailureType.INVALID_REQUEST, "multiple of 7680"),
        ({"sample_rate_hz": 0}, FailureType.INVALID_REQUEST, "sample_rate_hz"),
        ({"sample_rate_hz": 96_000}, FailureType.INVALID_REQUEST, "sample_rate_hz"),
        ({"sample_rate_hz": 11_026}, FailureType.INVALID_REQUEST, "sample_rate_hz"),
        ({"start_frame": 4}, FailureType.INVALID_REQUEST, "start_frame"),
        ({"start_frame": 4_294_967_288}, FailureType.INVALID_REQUEST, "start_frame"),
        ({"resume_frame": 16}, FailureType.INVALID_REQUEST, "resume_frame"),
        ({"sample_count": 4_294_963_200}, FailureType.TOO_LONG, "10 s"),
        ({"network": "nobody"}, FailureType.UNKNOWN_NETWORK, "tiny"),
        ({"avatar_id": "nobody"}, FailureType.UNKNOWN_AVATAR, "dot"),
        ({"avatar_hash": "0" * 64}, FailureType.AVATAR_MISSING, "PutAvatar"),
    ],
)
async def test_a_request_out_of_bounds_is_refused_by_name(
    worker: Worker, fields: dict[str, Any], type_: FailureType, words: str
) -> None:
    failure = await failure_of(worker, animate_requests(tone(8), **fields))

    assert failure.type is type_
    assert words in failure.detail


def without_start() -> Iterator[Request]:
    yield Request(chunk=b"\0\0")


def started_twice() -> Iterator[Request]:
    yield animate_start(tone(8))
    yield animate_start(tone(8))


def too_little() -> Iterator[Request]:
    yield animate_start(tone(8))
    yield Request(chunk=tone(8)[:-2])


def too_much() -> Iterator[Request]:
    yield animate_start(tone(8))
    yield Request(chunk=tone(8) + b"\0\0")


def half_a_sample() -> Iterator[Request]:
    yield animate_start(tone(8))
    yield Request(chunk=b"\0")


def large_chunk() -> Iterator[Request]:
    yield animate_start(tone(64))
    yield Request(chunk=bytes((64 << 10) + 2))


@pytest.mark.parametrize(
    ("requests", "words"),
    [
        (without_start, "must be `start`"),
        (lambda: iter(()), "must be `start`"),
        (started_twice, "must be a `chunk`"),
        (too_little, "7679 samples came"),
        (too_much, "More PCM came"),
        (half_a_sample, "whole 16-bit samples"),
        (large_chunk, "65536 are allowed"),
    ],
)
async def test_a_malformed_call_is_refused_with_what_is_wrong(
    worker: Worker, requests: Any, words: str
) -> None:
    failure = await failure_of(worker, requests())

    assert failure.type is FailureType.INVALID_REQUEST
    assert words in failure.detail


async def test_networks_are_listed_with_their_measured_speed(worker: Worker) -> None:
    response = await worker.ListNetworks(lipsync_pb2.ListNetworksRequest())

    (network,) = response.networks
    assert (network.name, network.version, network.contract) == ("tiny", "1.0.0", "pose/1")
    assert network.default
    assert network.frames_per_second > 0


async def test_avatars_are_listed_with_the_hash_that_animates_them(worker: Worker) -> None:
    response = await worker.ListAvatars(lipsync_pb2.ListAvatarsRequest())

    (avatar,) = response.avatars
    assert (avatar.id, avatar.name, avatar.width_px, avatar.height_px) == ("dot", "Dot", 128, 96)
    assert avatar.synthetic
    assert avatar.default
    assert avatar.idle_seconds == pytest.approx(16 / 25)
    animation = await animated(worker, tone(8), avatar_hash=avatar.hash)
    assert len(animation.fragments) == 1


async def read(worker: Worker, avatar_id: str, file: lipsync_pb2.AvatarFile.ValueType) -> tuple[str, bytes]:
    request = lipsync_pb2.GetAvatarFileRequest(avatar_id=avatar_id, file=file)
    parts = [part async for part in worker.GetAvatarFile(request)]
    return parts[0].media_type, b"".join(part.chunk for part in parts)


async def test_an_avatars_files_are_streamed(worker: Worker, models_dir: Path) -> None:
    bundle = models_dir / "avatars" / "dot"

    assert await read(worker, "dot", lipsync_pb2.AVATAR_FILE_IDLE) == (
        "video/mp4",
        (bundle / "loop.mp4").read_bytes(),
    )
    assert await read(worker, "dot", lipsync_pb2.AVATAR_FILE_POSTER) == (
        "image/jpeg",
        (bundle / "poster.jpg").read_bytes(),
    )


async def test_a_file_of_an_unknown_avatar_or_kind_is_refused(worker: Worker) -> None:
    with pytest.raises(Failure, match="unknown-avatar"), calling("video"):
        await read(worker, "../networks", lipsync_pb2.AVATAR_FILE_IDLE)
    with pytest.raises(Failure, match="invalid-request"), calling("video"):
        await read(worker, "dot", lipsync_pb2.AVATAR_FILE_UNSPECIFIED)


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


def test_the_fake_speech_is_what_the_contract_asks_for() -> None:
    assert len(tone(8)) == RATE_HZ * 8 // 25 * 2
