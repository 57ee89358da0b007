"""What Animate refuses, on a real channel: by name, and with what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2

from tests.fakes.lipsync_worker import (
    SAMPLES_PER_FRAME,
    Worker,
    animate_requests,
    animate_start,
    failure_of,
    running_worker,
    tone,
)

Request = lipsync_pb2.AnimateRequest


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


@pytest.mark.parametrize("method", ["Animate", "BuildAvatar"])
async def test_a_call_that_never_begins_to_send_is_given_up(models_dir: Path, method: str) -> None:
    async with running_worker(models_dir, upload_seconds=0.05) as worker:
        with pytest.raises(Failure) as caught, calling("video"):
            await getattr(worker, method)().read()
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert "Send it without pauses" in caught.value.detail
