"""A photo or clip goes in; what is being done, then an avatar and its bundle come out: a worker's builds."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TypeAlias

from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from gateway.stages.call import Call, Patience
from gateway.stages.faces import Avatar, listed_avatar
from gateway.stages.tickets import Tickets

STAGE = "video"
_CHUNK_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Waiting:
    """No worker is at it: one has to start, or to end with another avatar."""


@dataclass(frozen=True, slots=True)
class BuildStarted:
    """A worker has the upload; the id that the avatar will have."""

    avatar_id: str


@dataclass(frozen=True, slots=True)
class BuildStep:
    """What is being done ("face", "mouth" …), and the share of all the work that is done."""

    step: str
    fraction: float


@dataclass(frozen=True, slots=True)
class BuiltAvatar:
    """The last event."""

    avatar: Avatar
    bundle: bytes = field(repr=False)


BuildEvent: TypeAlias = Waiting | BuildStarted | BuildStep | BuiltAvatar


class AvatarBuilds:
    """Calls the lipsync service; a ticket is held for each build."""

    def __init__(self, stub: lipsync_pb2_grpc.LipsyncServiceAsyncStub, tickets: Tickets) -> None:
        self._stub = stub
        self._tickets = tickets

    async def built(
        self, photo: bytes, name: str, media_type: str, call: Call
    ) -> AsyncGenerator[BuildEvent, None]:
        """Waits for a worker that is busy or has to start; one that dies leaves the work to the next.

        Closing the generator ends the work. Raises Failure.
        """
        patience = Patience(call)
        async with self._tickets.held(call.work) as ticket:
            while True:
                yield Waiting()
                try:
                    async with aclosing(self._attempt(photo, name, media_type, call)) as events:
                        async for event in events:
                            patience.renew()
                            if isinstance(event, BuildStarted):
                                await ticket.serve()
                            yield event
                except Failure as failure:
                    await patience.wait_after(failure)
                else:
                    return

    async def _attempt(
        self, photo: bytes, name: str, media_type: str, call: Call
    ) -> AsyncGenerator[BuildEvent, None]:
        bundle = bytearray()
        with calling(STAGE):
            responses = self._stub.BuildAvatar(
                _requests(photo, name, media_type), timeout=call.seconds_left, metadata=call.metadata
            )
            try:
                async for response in responses:
                    bundle += response.chunk
                    match response.WhichOneof("event"):
                        case "started":
                            yield BuildStarted(response.started.avatar_id)
                        case "progress":
                            yield BuildStep(response.progress.step, response.progress.fraction)
                        case "finished":
                            yield BuiltAvatar(listed_avatar(response.finished), bytes(bundle))
                            return
            finally:
                responses.cancel()
        raise Failure(FailureType.INTERRUPTED, "The avatar was not finished.", stage=STAGE)


def _requests(photo: bytes, name: str, media_type: str) -> Iterator[lipsync_pb2.BuildAvatarRequest]:
    start = lipsync_pb2.BuildAvatarStart(name=name, media_type=media_type, byte_count=len(photo))
    yield lipsync_pb2.BuildAvatarRequest(start=start)
    for place in range(0, len(photo), _CHUNK_BYTES):
        yield lipsync_pb2.BuildAvatarRequest(chunk=photo[place : place + _CHUNK_BYTES])
