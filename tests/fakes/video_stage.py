"""Speech goes in, a video service that renders grey pictures comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from tests.fakes import fragments
from tests.fakes.avatar_builds import build_responses
from tests.fakes.faults import Faults

_EDGE_SAMPLES = 512


class FakeLipsync(lipsync_pb2_grpc.LipsyncServiceServicer):
    """Renders grey pictures; refuses speech that would not join without a seam, and faces it lacks."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.builds = Faults()
        self.handovers = Faults()
        self.held: set[str] = set()
        self.starts: list[lipsync_pb2.AnimateStart] = []
        self.seconds_per_frame = 0.0

    async def Animate(
        self, requests: AsyncIterator[lipsync_pb2.AnimateRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        start, pcm = await _received(requests)
        if start.avatar_hash and start.avatar_hash not in self.held:
            raise Failure(FailureType.AVATAR_MISSING, "This worker does not hold that avatar.")
        self.starts.append(start)
        async for response in self.faults.applied(self._responses(start, pcm)):
            yield response

    async def _responses(
        self, start: lipsync_pb2.AnimateStart, pcm: bytes
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        total = _frames(start, pcm)
        yield lipsync_pb2.AnimateResponse(
            started=lipsync_pb2.AnimateStarted(
                frames_total=total, init_segment=fragments.init_segment(), mime=fragments.MIME, fps=25
            )
        )
        frame = start.resume_frame
        while frame < total:
            count = min(8 if frame < 24 else 48, total - frame)
            await asyncio.sleep(count * self.seconds_per_frame)
            made = lipsync_pb2.Fragment(
                start_frame=start.start_frame + frame,
                frame_count=count,
                data=fragments.fragment(start.start_frame + frame, count),
                frames_done=frame + count,
            )
            frame += count
            yield lipsync_pb2.AnimateResponse(fragment=made)
        finished = lipsync_pb2.AnimateFinished(frames_total=total, render_seconds=0.01 * total)
        yield lipsync_pb2.AnimateResponse(finished=finished)

    async def BuildAvatar(
        self, requests: AsyncIterator[lipsync_pb2.BuildAvatarRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.BuildAvatarResponse, None]:
        async for response in self.builds.applied(build_responses(requests)):
            yield response

    async def PutAvatar(
        self, requests: AsyncIterator[lipsync_pb2.PutAvatarRequest], context: Any
    ) -> lipsync_pb2.PutAvatarResponse:
        bundle = bytearray()
        start = lipsync_pb2.PutAvatarStart()
        async for request in self.handovers.applied(requests):
            if request.WhichOneof("part") == "start":
                start = request.start
            bundle += request.chunk
        assert len(bundle) == start.byte_count
        self.held.add(start.avatar_hash)
        return lipsync_pb2.PutAvatarResponse()

    async def ListNetworks(
        self, request: lipsync_pb2.ListNetworksRequest, context: Any
    ) -> lipsync_pb2.ListNetworksResponse:
        network = lipsync_pb2.Network(
            name="plain", version="1", contract="pose/1", licence="CC0-1.0", default=True
        )
        return lipsync_pb2.ListNetworksResponse(networks=[network])

    async def ListAvatars(
        self, request: lipsync_pb2.ListAvatarsRequest, context: Any
    ) -> lipsync_pb2.ListAvatarsResponse:
        avatar = lipsync_pb2.Avatar(
            id="grey", name="Grey", hash="0f" * 16, idle_seconds=0.96, width_px=64, height_px=64, default=True
        )
        return lipsync_pb2.ListAvatarsResponse(avatars=[avatar])

    async def GetAvatarFile(
        self, request: lipsync_pb2.GetAvatarFileRequest, context: Any
    ) -> AsyncGenerator[lipsync_pb2.GetAvatarFileResponse, None]:
        poster = request.file == lipsync_pb2.AVATAR_FILE_POSTER
        data = fragments.poster() if poster else fragments.idle_loop()
        media_type = "image/jpeg" if poster else "video/mp4"
        for begin in range(0, len(data), 1000):
            yield lipsync_pb2.GetAvatarFileResponse(media_type=media_type, chunk=data[begin : begin + 1000])


async def _received(
    requests: AsyncIterator[lipsync_pb2.AnimateRequest],
) -> tuple[lipsync_pb2.AnimateStart, bytes]:
    start = lipsync_pb2.AnimateStart()
    pcm = bytearray()
    async for request in requests:
        if request.WhichOneof("part") == "start":
            start = request.start
        else:
            pcm += request.chunk
    return start, bytes(pcm)


def _frames(start: lipsync_pb2.AnimateStart, pcm: bytes) -> int:
    samples = len(pcm) // 2
    frames, left_over = divmod(samples, start.sample_rate_hz // 25)
    edges = pcm[: _EDGE_SAMPLES * 2] + pcm[-_EDGE_SAMPLES * 2 :]
    sound = samples == start.sample_count and not left_over and frames % 8 == 0 and not any(edges)
    if not sound or start.start_frame % 8 or start.resume_frame % 8:
        raise Failure(FailureType.INVALID_REQUEST, "The speech does not lie on the grid.")
    return frames
