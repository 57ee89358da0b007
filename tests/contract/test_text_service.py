"""TextService on a real channel, over a scripted provider and over OpenAI's library."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings, TlsSettings
from visavis.v1 import text_pb2, text_pb2_grpc

from services.text.__main__ import text_service
from services.text.conversation import Message, Role
from services.text.limits import Limits
from services.text.servicer import TextServicer
from services.text.settings import ProviderChoice, TextSettings
from tests.fakes.openai_server import Delta, Finish, OpenAiServer, Refusal, Stall, UsageChunk
from tests.fakes.text_provider import ScriptedProvider

HELLO = text_pb2.Message(role=text_pb2.ROLE_USER, content="Hello?")


@asynccontextmanager
async def stub_for(service: Service) -> AsyncIterator[text_pb2_grpc.TextServiceAsyncStub]:
    async with (
        running(service, ServiceSettings(drain_seconds=0)) as address,
        open_channel(address, TlsSettings()) as channel,
    ):
        yield text_pb2_grpc.TextServiceStub(channel)


def scripted_service(provider: ScriptedProvider) -> Service:
    servicer = TextServicer(provider, Limits(messages=3, characters=100))
    return Service(
        full_name="visavis.v1.TextService",
        register=lambda server: text_pb2_grpc.add_TextServiceServicer_to_server(servicer, server),
        prepare=provider.prepare,
        close=provider.close,
    )


def openai_service(server: OpenAiServer) -> Service:
    settings = TextSettings(
        provider=ProviderChoice.OPENAI, openai_base_url=server.url, openai_retries=0, listen="127.0.0.1:0"
    )
    return text_service(settings)


def asking(**conversation: object) -> text_pb2.StreamReplyRequest:
    return text_pb2.StreamReplyRequest(
        conversation=text_pb2.Conversation(messages=[HELLO], **conversation)  # type: ignore[arg-type]
    )


async def failure_of(
    stub: text_pb2_grpc.TextServiceAsyncStub, request: text_pb2.StreamReplyRequest
) -> Failure:
    with pytest.raises(Failure) as caught, calling("text"):
        async for _ in stub.StreamReply(request):
            pass
    return caught.value


async def test_a_reply_streams_started_deltas_utterances_and_finished() -> None:
    async with stub_for(
        scripted_service(ScriptedProvider(["The sun is a star. ", "The moon is not", ", it is a rock."]))
    ) as stub:
        responses = [response async for response in stub.StreamReply(asking())]
    kinds = [response.WhichOneof("event") for response in responses]
    assert kinds == ["started", "delta", "delta", "utterance", "delta", "utterance", "finished"]
    started, finished = responses[0].started, responses[-1].finished
    assert (started.provider.name, started.model, started.max_tokens) == ("scripted", "scripted-1", 50)
    assert (finished.text, finished.finish_reason) == (
        "The sun is a star. The moon is not, it is a rock.",
        "stop",
    )
    assert (finished.usage.prompt_tokens, finished.usage.completion_tokens) == (3, 3)


async def test_every_field_of_a_conversation_arrives() -> None:
    provider = ScriptedProvider([])
    request = asking(
        model="m",
        temperature=0.0,
        max_tokens=9,
        presence_penalty=0.0,
        frequency_penalty=-1.0,
        stop=["END"],
        logit_bias={"moon": 5.0},
        api_key="key",
    )
    async with stub_for(scripted_service(provider)) as stub:
        async for _ in stub.StreamReply(request):
            pass
        async for _ in stub.StreamReply(asking()):
            pass
    full, bare = provider.asked
    assert full.messages == (Message(Role.USER, "Hello?"),)
    assert (full.model, full.temperature, full.max_tokens, full.presence_penalty) == ("m", 0.0, 9, 0.0)
    assert (full.frequency_penalty, full.stop, full.logit_bias) == (-1.0, ("END",), {"moon": 5.0})
    assert full.api_key == "key"
    assert (bare.temperature, bare.max_tokens, bare.presence_penalty) == (None, None, None)


async def test_a_text_to_say_comes_back_word_for_word_without_a_model() -> None:
    provider = ScriptedProvider([])
    request = text_pb2.StreamReplyRequest(verbatim="Good day to you. 你好，世界！", language="auto")
    async with stub_for(scripted_service(provider)) as stub:
        responses = [response async for response in stub.StreamReply(request)]
    utterances = [r.utterance for r in responses if r.WhichOneof("event") == "utterance"]
    assert [(u.index, u.text, u.language, u.offset) for u in utterances] == [
        (0, "Good day to you.", "en", 0),
        (1, "你好，世界！", "zh", 17),
    ]
    assert responses[-1].finished.usage.completion_tokens == 0
    assert provider.asked == []


@pytest.mark.parametrize(
    ("request_", "type_", "named"),
    [
        (text_pb2.StreamReplyRequest(), FailureType.INVALID_REQUEST, "conversation"),
        (
            text_pb2.StreamReplyRequest(conversation=text_pb2.Conversation()),
            FailureType.INVALID_REQUEST,
            "messages",
        ),
        (
            text_pb2.StreamReplyRequest(
                conversation=text_pb2.Conversation(messages=[HELLO, text_pb2.Message(content="Hi")])
            ),
            FailureType.INVALID_REQUEST,
            "messages[1].role",
        ),
        (text_pb2.StreamReplyRequest(verbatim=""), FailureType.INVALID_REQUEST, "empty"),
        (text_pb2.StreamReplyRequest(verbatim="x" * 101), FailureType.TOO_LONG, "101"),
        (
            text_pb2.StreamReplyRequest(verbatim="Hi", language="not a tag"),
            FailureType.UNSUPPORTED_LANGUAGE,
            "language",
        ),
    ],
)
async def test_a_wrong_request_is_told_what_is_wrong(
    request_: text_pb2.StreamReplyRequest, type_: FailureType, named: str
) -> None:
    async with stub_for(scripted_service(ScriptedProvider([]))) as stub:
        failure = await failure_of(stub, request_)
    assert failure.type is type_
    assert named in failure.detail


async def test_a_client_that_leaves_stops_the_model() -> None:
    provider = ScriptedProvider(["Once upon a time"], then=asyncio.Event())
    async with stub_for(scripted_service(provider)) as stub:
        call = stub.StreamReply(asking())
        async for response in call:
            if response.WhichOneof("event") == "delta":
                break
        call.cancel()
        await provider.closed.wait()


async def test_a_deadline_stops_the_model() -> None:
    provider = ScriptedProvider(["Once upon a time"], then=asyncio.Event())
    async with stub_for(scripted_service(provider)) as stub:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in stub.StreamReply(asking(), timeout=0.2):
                pass
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        await provider.closed.wait()


async def test_tokens_are_counted_and_models_listed() -> None:
    async with stub_for(scripted_service(ScriptedProvider([]))) as stub:
        count = await stub.CountTokens(text_pb2.CountTokensRequest(messages=[HELLO, HELLO]))
        models = await stub.ListModels(text_pb2.ListModelsRequest())
    assert (count.prompt_tokens, count.context_tokens) == (2, 100)
    assert [(m.id, m.provider.name, m.provider.embedded, m.default) for m in models.models] == [
        ("scripted-1", "scripted", True, True)
    ]


async def test_openai_answers_through_the_service() -> None:
    async with OpenAiServer().running() as server, stub_for(openai_service(server)) as stub:
        server.will_answer(Delta("Hello to "), Delta("you too."), Finish(), UsageChunk(8, 4))
        responses = [response async for response in stub.StreamReply(asking(temperature=0.0))]
    assert responses[0].started.provider.name == "openai"
    assert responses[-2].utterance.text == "Hello to you too."
    assert responses[-1].finished.usage.prompt_tokens == 8
    assert server.received[0].body["temperature"] == 0.0


async def test_a_refused_caller_key_reaches_the_caller_as_such() -> None:
    async with OpenAiServer().running() as server, stub_for(openai_service(server)) as stub:
        server.will_refuse(Refusal(401, "invalid_api_key"))
        failure = await failure_of(stub, asking(api_key="wrong-key"))
    assert failure.type is FailureType.CALLER_KEY_INVALID
    assert "wrong-key" not in failure.detail


async def test_a_client_that_leaves_closes_the_connection_to_openai() -> None:
    async with OpenAiServer().running() as server, stub_for(openai_service(server)) as stub:
        server.will_answer(Delta("Once upon"), Stall())
        call = stub.StreamReply(asking())
        async for response in call:
            if response.WhichOneof("event") == "delta":
                break
        call.cancel()
        await server.client_left.wait()
