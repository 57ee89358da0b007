"""Placed speech and an avatar go in, CMAF fragments come out: the lipsync service, seen from here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from gateway.media.timeline import BYTES_PER_SAMPLE, PlacedSpeech
from gateway.stages.building import AvatarBuilds
from gateway.stages.call import Call, Patience
from gateway.stages.faces import Avatar, AvatarFile, ChosenAvatar, Network, listed_avatar
from gateway.stages.line import Line
from gateway.stages.tickets import NoTickets, Tickets

STAGE = "video"
_CHUNK_BYTES = 64 * 1024
# Each try may meet another worker that lacks the avatar. Workers take turns: of two, a single copy would go
# to the one each time, and each try to the other. So every handover has one copy more than the last; whoever
# gets one early will be asked for the reply's next utterances.
_MOST_HANDOVERS = 8
_FILES: dict[AvatarFile, lipsync_pb2.AvatarFile.ValueType] = {
    "poster": lipsync_pb2.AVATAR_FILE_POSTER,
    "idle": lipsync_pb2.AVATAR_FILE_IDLE,
}


@dataclass(frozen=True, slots=True)
class InitSegment:
    """ftyp + moov, the same for every utterance, and the MIME type with codecs."""

    data: bytes = field(repr=False)
    mime: str


@dataclass(frozen=True, slots=True)
class Fragment:
    """moof + mdat; `start_frame` is on the reply's timeline."""

    start_frame: int
    frame_count: int
    data: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Rendered:
    """An utterance is done; compute seconds of the worker that ended it."""

    render_seconds: float


VideoPart: TypeAlias = InitSegment | Fragment | Rendered


class VideoStage:
    """Calls the lipsync service over one channel; a ticket is held for each piece of work."""

    def __init__(self, channel: grpc.aio.Channel, tickets: Tickets | None = None) -> None:
        self._stub: lipsync_pb2_grpc.LipsyncServiceAsyncStub = lipsync_pb2_grpc.LipsyncServiceStub(channel)
        self._tickets = tickets or NoTickets()
        self.builds = AvatarBuilds(self._stub, self._tickets)
        # Of those that wait for a free worker.
        self.line = Line(self._tickets)

    def seconds_before_next(self) -> float:
        """Until a worker can begin with a reply that asks now, as far as can be told."""
        return self.line.seconds_before(None)

    async def fragments(
        self, speech: PlacedSpeech, avatar: ChosenAvatar, network: str, call: Call, *, known_frames: int = 0
    ) -> AsyncGenerator[VideoPart, None]:
        """An utterance's fragments in the order of the timeline; an empty network is the default one.

        Raises Failure. Of an utterance that was begun earlier, `known_frames` are there and are not rendered.

        A render that breaks is taken up again where it broke: fragments are never sent twice.
        """
        begun = speech.start_frame + known_frames > 0
        with Patience(call, self.line, begun=begun) as patience:
            async with (
                self._tickets.held(call.work) as ticket,
                aclosing(self._rendered(speech, avatar, network, known_frames, patience)) as parts,
            ):
                async for part in parts:
                    if isinstance(part, InitSegment):
                        await ticket.serve()
                    yield part

    async def _rendered(
        self, speech: PlacedSpeech, avatar: ChosenAvatar, network: str, known_frames: int, patience: Patience
    ) -> AsyncGenerator[VideoPart, None]:
        call = patience.call
        frames_done, handovers = known_frames, 0
        copies: list[bytes] = []
        await patience.first_turn()
        while True:
            try:
                while copies:
                    await self._put(avatar.hash, copies[-1], call)
                    copies.pop()
                with ExitStack() as serving:
                    async with aclosing(self._attempt(speech, avatar, network, frames_done, call)) as parts:
                        async for part in parts:
                            patience.renew()
                            if isinstance(part, InitSegment):
                                serving.enter_context(self.line.served(call.seconds_needed))
                            if isinstance(part, Fragment):
                                _check_place(part, speech.start_frame + frames_done)
                                frames_done += part.frame_count
                            yield part
            except Failure as failure:
                lacking = failure.type is FailureType.AVATAR_MISSING
                if lacking and avatar.bundle is not None and handovers < _MOST_HANDOVERS:
                    handovers += 1
                    copies = [await avatar.bundle()] * handovers
                    continue
                await patience.wait_after(failure)
            else:
                return

    async def _attempt(
        self, speech: PlacedSpeech, avatar: ChosenAvatar, network: str, resume_frame: int, call: Call
    ) -> AsyncGenerator[VideoPart, None]:
        finished = False
        with (
            call.traced(STAGE, utterance=speech.index, frames=speech.frame_count) as metadata,
            calling(STAGE),
        ):
            responses = self._stub.Animate(
                _requests(speech, avatar, network, resume_frame),
                timeout=call.seconds_left,
                metadata=metadata,
            )
            try:
                async for response in responses:
                    part = _part(response)
                    finished = finished or isinstance(part, Rendered)
                    if part is not None:
                        yield part
            finally:
                responses.cancel()
        if not finished:
            raise Failure(FailureType.INTERRUPTED, "The video ended before it was finished.", stage=STAGE)

    async def networks(self, call: Call) -> list[Network]:
        """The networks that move the lips. Raises Failure."""
        with calling(STAGE):
            listed = await self._stub.ListNetworks(
                lipsync_pb2.ListNetworksRequest(), timeout=call.seconds_left, metadata=call.metadata
            )
        return [
            Network(network.name, network.version, network.contract, network.licence, network.default)
            for network in listed.networks
        ]

    async def avatars(self, call: Call) -> list[Avatar]:
        """The avatars that ship with the service. Raises Failure."""
        with calling(STAGE):
            listed = await self._stub.ListAvatars(
                lipsync_pb2.ListAvatarsRequest(), timeout=call.seconds_left, metadata=call.metadata
            )
        return [listed_avatar(avatar) for avatar in listed.avatars]

    async def _put(self, avatar_hash: str, bundle: bytes, call: Call) -> None:
        start = lipsync_pb2.PutAvatarStart(avatar_hash=avatar_hash, byte_count=len(bundle))
        requests = [lipsync_pb2.PutAvatarRequest(start=start)]
        requests += [lipsync_pb2.PutAvatarRequest(chunk=chunk) for chunk in _chunks(bundle)]
        with calling(STAGE):
            await self._stub.PutAvatar(iter(requests), timeout=call.seconds_left, metadata=call.metadata)

    async def avatar_file(self, avatar_id: str, file: AvatarFile, call: Call) -> tuple[str, bytes]:
        """Media type and bytes of an avatar's poster or idle loop. Raises Failure."""
        request = lipsync_pb2.GetAvatarFileRequest(avatar_id=avatar_id, file=_FILES[file])
        media_type = ""
        data = bytearray()
        with calling(STAGE):
            responses = self._stub.GetAvatarFile(request, timeout=call.seconds_left, metadata=call.metadata)
            try:
                async for response in responses:
                    media_type = media_type or response.media_type
                    data += response.chunk
            finally:
                responses.cancel()
        return media_type, bytes(data)


def _chunks(data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), _CHUNK_BYTES):
        yield data[start : start + _CHUNK_BYTES]


async def _requests(
    speech: PlacedSpeech, avatar: ChosenAvatar, network: str, resume_frame: int
) -> AsyncIterator[lipsync_pb2.AnimateRequest]:
    yield lipsync_pb2.AnimateRequest(
        start=lipsync_pb2.AnimateStart(
            avatar_id=avatar.id,
            avatar_hash=avatar.hash,
            network=network,
            sample_rate_hz=speech.sample_rate_hz,
            sample_count=len(speech.pcm) // BYTES_PER_SAMPLE,
            start_frame=speech.start_frame,
            resume_frame=resume_frame,
        )
    )
    for chunk in _chunks(speech.pcm):
        yield lipsync_pb2.AnimateRequest(chunk=chunk)


def _part(response: lipsync_pb2.AnimateResponse) -> VideoPart | None:
    match response.WhichOneof("event"):
        case "started":
            return InitSegment(response.started.init_segment, response.started.mime)
        case "fragment":
            made = response.fragment
            return Fragment(made.start_frame, made.frame_count, made.data)
        case "finished":
            return Rendered(response.finished.render_seconds)
        case _:
            return None


def _check_place(fragment: Fragment, expected_frame: int) -> None:
    if fragment.start_frame != expected_frame or not fragment.frame_count:
        raise Failure(FailureType.UNKNOWN, "The video service sent a fragment out of its place.", stage=STAGE)
