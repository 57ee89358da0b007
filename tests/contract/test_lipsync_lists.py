"""What a worker tells of itself, on a real channel: its networks, its avatars and their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from visavis.rpc.failures import Failure, calling
from visavis.v1 import lipsync_pb2

from tests.fakes.lipsync_worker import (
    Worker,
    animated,
    tone,
)


async def test_networks_are_listed_with_their_contract(worker: Worker) -> None:
    response = await worker.ListNetworks(lipsync_pb2.ListNetworksRequest())

    (network,) = response.networks
    assert (network.name, network.version, network.contract) == ("tiny", "1.0.0", "pose/1")
    assert network.default


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
