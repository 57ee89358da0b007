"""Protobuf messages go in and come out; what they mean is decided elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import grpc
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from services.lipsync.animation import AnimationEvent, Animator, Finished, Started
from services.lipsync.gallery import Gallery, ShownFile
from services.lipsync.manifests import AvatarManifest
from services.lipsync.portrait.building import BuildStarted, BuildStep, BuiltBundle, PortraitBuilder
from services.lipsync.rendering import RenderedFragment
from services.lipsync.uploads import upload_window
from services.lipsync.utterance import MAX_CHUNK_BYTES, Utterance

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

Part = TypeVar(
    "Part", lipsync_pb2.AnimateRequest, lipsync_pb2.PutAvatarRequest, lipsync_pb2.BuildAvatarRequest
)
_FILE_KINDS: dict[int, tuple[ShownFile, str]] = {
    lipsync_pb2.AVATAR_FILE_POSTER: ("poster", "image/jpeg"),
    lipsync_pb2.AVATAR_FILE_IDLE: ("loop", "video/mp4"),
}


class LipsyncServicer(lipsync_pb2_grpc.LipsyncServiceServicer):
    """Translates between the contract and the worker."""

    def __init__(
        self, animator: Animator, gallery: Gallery, portraits: PortraitBuilder, *, upload_seconds: float
    ) -> None:
        """`upload_seconds` bounds the wait for a call's first message."""
        self._animator = animator
        self._gallery = gallery
        self._portraits = portraits
        self._upload_seconds = upload_seconds

    async def Animate(
        self, request_iterator: AsyncIterator[lipsync_pb2.AnimateRequest], context: Context
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        """See the contract."""
        parts = aiter(request_iterator)
        start = (await _first(parts, self._upload_seconds)).start
        utterance = Utterance(
            avatar_id=start.avatar_id,
            avatar_hash=start.avatar_hash,
            network=start.network,
            sample_rate_hz=start.sample_rate_hz,
            sample_count=start.sample_count,
            start_frame=start.start_frame,
            resume_frame=start.resume_frame,
        )
        async with aclosing(self._animator.animate(utterance, _chunks(parts))) as events:
            async for event in events:
                yield _animate_response(event)

    async def BuildAvatar(
        self, request_iterator: AsyncIterator[lipsync_pb2.BuildAvatarRequest], context: Context
    ) -> AsyncGenerator[lipsync_pb2.BuildAvatarResponse, None]:
        """See the contract."""
        parts = aiter(request_iterator)
        start = (await _first(parts, self._upload_seconds)).start
        built = self._portraits.build(_chunks(parts), start.name, start.media_type, start.byte_count)
        async with aclosing(built) as events:
            async for event in events:
                match event:
                    case BuildStarted():
                        started = lipsync_pb2.BuildAvatarStarted(avatar_id=event.avatar_id)
                        yield lipsync_pb2.BuildAvatarResponse(started=started)
                    case BuildStep():
                        step = lipsync_pb2.BuildAvatarProgress(step=event.step, fraction=event.fraction)
                        yield lipsync_pb2.BuildAvatarResponse(progress=step)
                    case BuiltBundle():
                        for chunk in _pieces(event.data):
                            yield lipsync_pb2.BuildAvatarResponse(chunk=chunk)
                        # Kept here too, so that the first reply need not bring it back.
                        avatar = await self._gallery.take(event.data)
                        finished = self._avatar(avatar.manifest, avatar.hash)
                        yield lipsync_pb2.BuildAvatarResponse(finished=finished)

    async def PutAvatar(
        self, request_iterator: AsyncIterator[lipsync_pb2.PutAvatarRequest], context: Context
    ) -> lipsync_pb2.PutAvatarResponse:
        """See the contract."""
        parts = aiter(request_iterator)
        start = (await _first(parts, self._upload_seconds)).start
        avatar = await self._gallery.put(_chunks(parts), start.avatar_hash, start.byte_count)
        return lipsync_pb2.PutAvatarResponse(avatar=self._avatar(avatar.manifest, avatar.hash))

    async def ListNetworks(
        self, request: lipsync_pb2.ListNetworksRequest, context: Context
    ) -> lipsync_pb2.ListNetworksResponse:
        """See the contract."""
        animator = self._animator
        return lipsync_pb2.ListNetworksResponse(
            networks=[
                lipsync_pb2.Network(
                    name=name,
                    version=network.manifest.version,
                    contract=network.manifest.contract,
                    licence=network.manifest.licence,
                    default=name == animator.default_network,
                )
                for name, network in animator.networks.items()
            ]
        )

    async def ListAvatars(
        self, request: lipsync_pb2.ListAvatarsRequest, context: Context
    ) -> lipsync_pb2.ListAvatarsResponse:
        """See the contract."""
        bundles = self._gallery.shipped.values()
        return lipsync_pb2.ListAvatarsResponse(
            avatars=[self._avatar(bundle.manifest, bundle.hash) for bundle in bundles]
        )

    async def GetAvatarFile(
        self, request: lipsync_pb2.GetAvatarFileRequest, context: Context
    ) -> AsyncGenerator[lipsync_pb2.GetAvatarFileResponse, None]:
        """See the contract."""
        kind = _FILE_KINDS.get(request.file)
        if kind is None:
            raise Failure(FailureType.INVALID_REQUEST, "file must be AVATAR_FILE_POSTER or AVATAR_FILE_IDLE.")
        name, media_type = kind
        data = await self._gallery.file(request.avatar_id, name)
        for chunk in _pieces(data):
            yield lipsync_pb2.GetAvatarFileResponse(media_type=media_type, chunk=chunk)

    def _avatar(self, manifest: AvatarManifest, avatar_hash: str) -> lipsync_pb2.Avatar:
        return lipsync_pb2.Avatar(
            id=manifest.id,
            name=manifest.name,
            hash=avatar_hash,
            idle_seconds=manifest.loop_frames / manifest.fps,
            width_px=manifest.width_px,
            height_px=manifest.height_px,
            licence=manifest.licence,
            synthetic=manifest.synthetic,
            default=avatar_hash == self._gallery.bundle("").hash,
        )


def _pieces(data: bytes) -> Iterator[bytes]:
    for place in range(0, len(data), MAX_CHUNK_BYTES):
        yield data[place : place + MAX_CHUNK_BYTES]


async def _first(parts: AsyncIterator[Part], seconds: float) -> Part:
    async with upload_window(seconds):
        part = await anext(parts, None)
    if part is None or part.WhichOneof("part") != "start":
        raise Failure(FailureType.INVALID_REQUEST, "The first message must be `start`.")
    return part


async def _chunks(
    parts: AsyncIterator[lipsync_pb2.AnimateRequest]
    | AsyncIterator[lipsync_pb2.PutAvatarRequest]
    | AsyncIterator[lipsync_pb2.BuildAvatarRequest],
) -> AsyncIterator[bytes]:
    async for part in parts:
        if part.WhichOneof("part") != "chunk":
            raise Failure(FailureType.INVALID_REQUEST, "Every message after the first must be a `chunk`.")
        if len(part.chunk) > MAX_CHUNK_BYTES:
            raise Failure(
                FailureType.INVALID_REQUEST,
                f"A chunk has {len(part.chunk)} bytes, {MAX_CHUNK_BYTES} are allowed.",
            )
        yield part.chunk


def _animate_response(event: AnimationEvent) -> lipsync_pb2.AnimateResponse:
    match event:
        case Started():
            started = lipsync_pb2.AnimateStarted(
                frames_total=event.frames_total,
                init_segment=event.init_segment,
                mime=event.mime,
                fps=event.fps,
            )
            return lipsync_pb2.AnimateResponse(started=started)
        case RenderedFragment():
            fragment = lipsync_pb2.Fragment(
                start_frame=event.start_frame,
                frame_count=event.frame_count,
                data=event.data,
                frames_done=event.frames_done,
            )
            return lipsync_pb2.AnimateResponse(fragment=fragment)
        case Finished():
            finished = lipsync_pb2.AnimateFinished(
                frames_total=event.frames_total, render_seconds=event.render_seconds
            )
            return lipsync_pb2.AnimateResponse(finished=finished)
