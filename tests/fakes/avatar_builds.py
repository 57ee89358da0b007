"""A JPEG goes in, an avatar whose face is a grey square comes out, step by step."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator

from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import lipsync_pb2

from tests.fakes import fragments

REFUSAL = "This is not a picture of one face."
STEPS = (("reading", 0.0), ("face", 0.1), ("mouth", 0.2), ("loop", 0.3), ("loop", 0.9), ("packing", 0.99))
_CHUNK_BYTES = 64 * 1024


async def build_responses(
    requests: AsyncIterator[lipsync_pb2.BuildAvatarRequest],
) -> AsyncGenerator[lipsync_pb2.BuildAvatarResponse, None]:
    """Refuses what is no JPEG, once the steps have come as far as the face."""
    start, photo = lipsync_pb2.BuildAvatarStart(), bytearray()
    async for request in requests:
        if request.WhichOneof("part") == "start":
            start = request.start
        photo += request.chunk
    started = lipsync_pb2.BuildAvatarStarted(avatar_id=start.name.lower())
    yield lipsync_pb2.BuildAvatarResponse(started=started)
    for step, fraction in STEPS:
        progress = lipsync_pb2.BuildAvatarProgress(step=step, fraction=fraction)
        yield lipsync_pb2.BuildAvatarResponse(progress=progress)
        if step == "face" and not photo.startswith(b"\xff\xd8"):
            raise Failure(FailureType.INVALID_REQUEST, REFUSAL)
    bundle = _bundle()
    for place in range(0, len(bundle), _CHUNK_BYTES):
        yield lipsync_pb2.BuildAvatarResponse(chunk=bundle[place : place + _CHUNK_BYTES])
    yield lipsync_pb2.BuildAvatarResponse(
        finished=lipsync_pb2.Avatar(
            id=start.name.lower(),
            name=start.name,
            hash=hashlib.sha256(photo).hexdigest(),
            idle_seconds=0.96,
            width_px=64,
            height_px=64,
            licence="provided by the uploader",
        )
    )


def _bundle() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("poster.jpg", fragments.poster())
        archive.writestr("loop.mp4", fragments.idle_loop())
    return packed.getvalue()
