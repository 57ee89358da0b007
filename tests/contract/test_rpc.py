"""How the four processes talk, on a real channel: health, readiness, failures, deadlines, drain, TLS."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from visavis.rpc import renewed
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings, TlsSettings
from visavis.v1 import text_pb2, text_pb2_grpc

from tests.fakes.ports import free_port

NAME = "visavis.v1.TextService"
PLAIN = TlsSettings()


class Scripted(text_pb2_grpc.TextServiceServicer):
    """Streams one delta, then does what the test says."""

    def __init__(self, then: Callable[[], Awaitable[None]]) -> None:
        self.then = then
        self.open_streams = 0
        self.streaming = asyncio.Event()
        self.closed = asyncio.Event()

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, context: Any
    ) -> AsyncIterator[text_pb2.StreamReplyResponse]:
        self.open_streams += 1
        try:
            yield text_pb2.StreamReplyResponse(delta=text_pb2.TextDelta(delta="one"))
            self.streaming.set()
            await self.then()
            yield text_pb2.StreamReplyResponse(finished=text_pb2.TextFinished(text="one"))
        finally:
            self.open_streams -= 1
            self.closed.set()

    async def CountTokens(
        self, request: text_pb2.CountTokensRequest, context: Any
    ) -> text_pb2.CountTokensResponse:
        await self.then()
        return text_pb2.CountTokensResponse(prompt_tokens=1)

    async def ListModels(
        self, request: text_pb2.ListModelsRequest, context: Any
    ) -> text_pb2.ListModelsResponse:
        return text_pb2.ListModelsResponse()


async def nothing() -> None:
    """Prepares or frees nothing."""


async def forever() -> None:
    """Never finishes on its own."""
    await asyncio.Event().wait()


def service(servicer: Scripted, prepare: Callable[[], Awaitable[None]] = nothing) -> Service:
    def register(server: grpc.aio.Server) -> None:
        text_pb2_grpc.add_TextServiceServicer_to_server(servicer, server)

    return Service(NAME, register, prepare, nothing)


def settings(**values: Any) -> ServiceSettings:
    return ServiceSettings.model_validate({"listen": "127.0.0.1:0", "drain_seconds": 5.0} | values)


async def read(stub: text_pb2_grpc.TextServiceAsyncStub, **call: Any) -> list[str]:
    """The kinds of the responses to one StreamReply."""
    with calling("text"):
        responses = stub.StreamReply(text_pb2.StreamReplyRequest(verbatim="x"), **call)
        try:
            return [str(response.WhichOneof("event")) async for response in responses]
        finally:
            # A reader cancelled between two reads leaves grpc's call open: whoever opens one ends it.
            responses.cancel()


def stub_of(channel: grpc.aio.Channel) -> text_pb2_grpc.TextServiceAsyncStub:
    return text_pb2_grpc.TextServiceStub(channel)


def health_of(channel: grpc.aio.Channel) -> Any:
    return health_pb2_grpc.HealthStub(channel)


async def test_health_and_reflection_name_the_service() -> None:
    async with (
        running(service(Scripted(nothing)), settings()) as address,
        open_channel(address, PLAIN) as channel,
    ):
        health = health_of(channel)
        for name in (NAME, ""):
            answer = await health.Check(health_pb2.HealthCheckRequest(service=name))
            assert answer.status == health_pb2.HealthCheckResponse.SERVING
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(cast("grpc.Channel", channel))
        request = reflection_pb2.ServerReflectionRequest(list_services="")
        async for answer in reflection.ServerReflectionInfo(iter([request])):
            assert NAME in {entry.name for entry in answer.list_services_response.service}
            break


async def test_a_starting_service_refuses_at_once_and_says_when_to_come_back() -> None:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    refused = asyncio.Event()

    async def prepare() -> None:
        await refused.wait()

    async def run(port: int) -> None:
        async with running(
            service(Scripted(nothing), prepare), settings(listen=f"127.0.0.1:{port}")
        ) as bound:
            address.set_result(bound)

    port = free_port()
    serving = asyncio.create_task(run(port))
    async with open_channel(f"127.0.0.1:{port}", PLAIN) as channel:
        stub = stub_of(channel)
        with pytest.raises(Failure) as caught:
            await read(stub, wait_for_ready=True)
        assert caught.value.type is FailureType.STAGE_UNAVAILABLE
        assert caught.value.retry_after_seconds == 1
        health = await health_of(channel).Check(health_pb2.HealthCheckRequest(service=NAME))
        assert health.status == health_pb2.HealthCheckResponse.NOT_SERVING
        refused.set()
        await address
    await serving


async def test_a_failure_in_mid_stream_arrives_with_type_sentence_and_retry_time() -> None:
    async def fail() -> None:
        raise Failure(FailureType.RATE_LIMITED, "Too fast. Wait a little.", retry_after_seconds=2.5)

    async with (
        running(service(Scripted(fail)), settings()) as address,
        open_channel(address, PLAIN) as channel,
    ):
        with pytest.raises(Failure) as caught:
            await read(stub_of(channel))
    failure = caught.value
    assert (failure.type, failure.detail) == (FailureType.RATE_LIMITED, "Too fast. Wait a little.")
    assert failure.retry_after_seconds == 2.5
    assert failure.stage == "text"


async def test_a_crash_shows_the_caller_neither_text_nor_traceback() -> None:
    async def crash() -> None:
        raise ValueError("a user's secret words")

    servicer = Scripted(crash)
    async with running(service(servicer), settings()) as address, open_channel(address, PLAIN) as channel:
        stub = stub_of(channel)
        with pytest.raises(Failure) as caught:
            await read(stub)
        with pytest.raises(Failure) as unary, calling("text"):
            await stub.CountTokens(text_pb2.CountTokensRequest())
    for failure in (caught.value, unary.value):
        assert failure.type is FailureType.UNKNOWN
        assert "secret" not in failure.detail
    assert servicer.open_streams == 0


async def test_a_deadline_ends_the_call_and_its_handler() -> None:
    servicer = Scripted(forever)
    async with running(service(servicer), settings()) as address, open_channel(address, PLAIN) as channel:
        with pytest.raises(Failure) as caught:
            await read(stub_of(channel), timeout=0.2)
        await asyncio.wait_for(servicer.closed.wait(), 5)
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert servicer.open_streams == 0


async def test_cancelling_the_call_cleans_up_the_handler() -> None:
    servicer = Scripted(forever)
    async with running(service(servicer), settings()) as address, open_channel(address, PLAIN) as channel:
        reading = asyncio.create_task(read(stub_of(channel)))
        await servicer.streaming.wait()
        reading.cancel()
        await asyncio.wait_for(servicer.closed.wait(), 5)
    assert servicer.open_streams == 0


async def test_a_service_with_all_its_calls_taken_still_says_how_it_is() -> None:
    servicer = Scripted(forever)
    async with (
        running(service(servicer), settings(max_calls=1, drain_seconds=0)) as address,
        open_channel(address, PLAIN) as channel,
    ):
        reading = asyncio.create_task(read(stub_of(channel)))
        await servicer.streaming.wait()
        with pytest.raises(Failure) as caught:
            await read(stub_of(channel))
        assert caught.value.type is FailureType.BUSY
        assert caught.value.retry_after_seconds == 1
        # Else whoever probes it would kill it for being in demand.
        health = await health_of(channel).Check(health_pb2.HealthCheckRequest(service=NAME))
        assert health.status == health_pb2.HealthCheckResponse.SERVING
        reading.cancel()
        await asyncio.wait({reading})
        await asyncio.wait_for(servicer.closed.wait(), 5)
        with calling("text"):
            await stub_of(channel).ListModels(text_pb2.ListModelsRequest())


async def test_draining_lets_a_running_call_finish() -> None:
    go_on = asyncio.Event()

    async def wait() -> None:
        await go_on.wait()

    servicer = Scripted(wait)
    async with open_channel(f"127.0.0.1:{(port := free_port())}", PLAIN) as channel:
        async with running(service(servicer), settings(listen=f"127.0.0.1:{port}")):
            reading = asyncio.create_task(read(stub_of(channel), wait_for_ready=True))
            await servicer.streaming.wait()
            asyncio.get_running_loop().call_later(0.1, go_on.set)
        assert await reading == ["delta", "finished"]


async def test_a_dead_service_is_named() -> None:
    async with open_channel(f"127.0.0.1:{free_port()}", PLAIN) as channel:
        with pytest.raises(Failure, match="text service cannot be reached") as caught:
            await read(stub_of(channel))
    assert caught.value.type is FailureType.STAGE_UNAVAILABLE


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tls")
    request = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = "-keyout key.pem -out certificate.pem"
    subprocess.run(
        ["openssl", *request.split(), "-addext", names, *files.split()],
        cwd=folder,
        check=True,
        capture_output=True,
    )
    return folder


async def test_tls_is_mutual_where_a_ca_is_set(certificates: Path) -> None:
    both = {
        "tls_certificate": certificates / "certificate.pem",
        "tls_key": certificates / "key.pem",
        "tls_ca": certificates / "certificate.pem",
    }
    async with running(service(Scripted(nothing)), settings(**both)) as address:
        async with open_channel(address, TlsSettings(**both)) as channel:
            assert await read(stub_of(channel)) == ["delta", "finished"]
        async with open_channel(address, TlsSettings(tls_ca=both["tls_ca"])) as stranger:
            with pytest.raises(Failure) as caught:
                await read(stub_of(stranger))
    assert caught.value.type is FailureType.STAGE_UNAVAILABLE


async def test_a_service_that_comes_back_is_looked_for_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renewed, "_LEAST_SECONDS", 0.0)
    opened: list[grpc.aio.Channel] = []
    target = f"127.0.0.1:{free_port()}"

    def open_one() -> grpc.aio.Channel:
        opened.append(grpc.aio.insecure_channel(target))
        return opened[-1]

    async def answers(channel: grpc.aio.Channel) -> list[str]:
        with suppress(Failure):
            return await read(stub_of(channel))
        return []

    async with renewed.RenewedChannel(open_one) as channel, asyncio.timeout(30):
        while len(opened) < 3:
            assert await answers(channel) == []
        async with running(service(Scripted(nothing)), settings(listen=target)):
            while not await answers(channel):
                pass
            found = len(opened)
            assert await answers(channel) == ["delta", "finished"]
    assert len(opened) == found
