"""A service refuses an upload before it has heard its end: the caller hears why, whatever was on its way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings, TlsSettings
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from tests.fakes.video_stage import FakeLipsync

CHUNKS = [bytes(64 * 1024)] * 40
CALLS = 25


class Refusing(FakeLipsync):
    """Hears the first message only."""

    def __init__(self, type_: FailureType) -> None:
        super().__init__()
        self.refusal = Failure(type_, "Not now.", retry_after_seconds=1.5)

    async def Animate(
        self, requests: AsyncIterator[lipsync_pb2.AnimateRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        await anext(aiter(requests))
        raise self.refusal
        yield lipsync_pb2.AnimateResponse()

    async def PutAvatar(
        self, requests: AsyncIterator[lipsync_pb2.PutAvatarRequest], context: Any
    ) -> lipsync_pb2.PutAvatarResponse:
        await anext(aiter(requests))
        raise self.refusal


@asynccontextmanager
async def refusing(type_: FailureType) -> AsyncIterator[lipsync_pb2_grpc.LipsyncServiceAsyncStub]:
    async def nothing() -> None: ...

    def register(server: Any) -> None:
        lipsync_pb2_grpc.add_LipsyncServiceServicer_to_server(Refusing(type_), server)

    service = Service("visavis.v1.LipsyncService", register, nothing, nothing)
    settings = ServiceSettings(listen="127.0.0.1:0", drain_seconds=0)
    async with running(service, settings) as address, open_channel(address, TlsSettings()) as channel:
        yield lipsync_pb2_grpc.LipsyncServiceStub(channel)


def speech() -> Iterator[lipsync_pb2.AnimateRequest]:
    yield lipsync_pb2.AnimateRequest(start=lipsync_pb2.AnimateStart())
    for chunk in CHUNKS:
        yield lipsync_pb2.AnimateRequest(chunk=chunk)


def bundle() -> Iterator[lipsync_pb2.PutAvatarRequest]:
    yield lipsync_pb2.PutAvatarRequest(start=lipsync_pb2.PutAvatarStart())
    for chunk in CHUNKS:
        yield lipsync_pb2.PutAvatarRequest(chunk=chunk)


REFUSALS = [
    FailureType.BUSY,
    FailureType.STAGE_UNAVAILABLE,
    FailureType.AVATAR_MISSING,
    FailureType.INVALID_REQUEST,
    FailureType.UNKNOWN,
]


@pytest.mark.parametrize("type_", REFUSALS)
async def test_a_refusal_in_the_middle_of_an_upload_is_heard(type_: FailureType) -> None:
    async with refusing(type_) as stub:

        async def animated() -> None:
            with calling("video"):
                async for _ in stub.Animate(speech(), timeout=60):
                    pass

        async def read() -> None:
            with calling("video"):
                await stub.Animate(speech(), timeout=60).read()

        async def put() -> None:
            with calling("video"):
                await stub.PutAvatar(bundle(), timeout=60)

        calls = [call() for call in (animated, read, put) for _ in range(CALLS)]
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert {(type(failure), str(failure)) for failure in failures} == {(Failure, f"{type_}: Not now.")}
        assert {failure.retry_after_seconds for failure in failures if isinstance(failure, Failure)} == {1.5}
