"""What the real `openai` library sends to and takes from a real server, and what callers see of failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import (
    Conversation,
    Message,
    ModelDelta,
    ModelFinished,
    ModelOpened,
    ModelPart,
    Role,
    Usage,
)
from services.text.openai_provider import OpenAiOptions, OpenAiProvider
from tests.fakes.openai_server import (
    BreakOff,
    Delta,
    ErrorEvent,
    Finish,
    Malformed,
    OpenAiServer,
    Refusal,
    Stall,
    UsageChunk,
)

ASKED = (Message(Role.USER, "Hello?"),)
SITE_KEY = "site-key-1"


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with OpenAiServer().running() as server:
        yield server


@asynccontextmanager
async def provider_for(
    server: OpenAiServer, *, stall_seconds: float = 30, retries: int = 0
) -> AsyncIterator[OpenAiProvider]:
    options = OpenAiOptions(
        api_key=SITE_KEY,
        base_url=server.url,
        model="gpt-4o-mini",
        max_tokens=500,
        context_tokens=0,
        connect_seconds=5,
        stall_seconds=stall_seconds,
        retries=retries,
    )
    provider = OpenAiProvider(options)
    try:
        yield provider
    finally:
        await provider.close()


async def answer_to(provider: OpenAiProvider, conversation: Conversation) -> list[ModelPart]:
    async with aclosing(provider.answer(conversation)) as parts:
        return [part async for part in parts]


async def failure_of(provider: OpenAiProvider, conversation: Conversation) -> Failure:
    with pytest.raises(Failure) as caught:
        await answer_to(provider, conversation)
    return caught.value


async def test_deltas_usage_and_finish_reason_come_through(server: OpenAiServer) -> None:
    server.will_answer(Delta("Hel"), Delta("lo."), Finish("length"), UsageChunk(9, 2))
    async with provider_for(server) as provider:
        assert await answer_to(provider, Conversation(ASKED)) == [
            ModelOpened("gpt-4o-mini", 500),
            ModelDelta("Hel"),
            ModelDelta("lo."),
            ModelFinished("length", Usage(9, 2)),
        ]


@pytest.mark.parametrize(("model", "prompt_tokens"), [("gpt-4o-mini", 9), ("llama-3", 6)])
async def test_what_a_server_did_not_count_is_not_free(
    server: OpenAiServer, model: str, prompt_tokens: int
) -> None:
    server.will_answer(Delta("Hel"), Delta("lo."), Finish())
    async with provider_for(server) as provider:
        parts = await answer_to(provider, Conversation(ASKED, model=model))
    # "Hello?" is two tokens of OpenAI's, and about as many of anybody's.
    assert parts[-1] == ModelFinished("stop", Usage(prompt_tokens, 2))


@pytest.mark.parametrize(
    ("conversation", "sent"),
    [
        (Conversation(ASKED, temperature=0.0), {"temperature": 0.0}),
        (Conversation(ASKED, temperature=1.5), {"temperature": 1.5}),
        (Conversation(ASKED, max_tokens=7), {"max_tokens": 7}),
        (Conversation(ASKED, max_tokens=90_000), {"max_tokens": 500}),
        (Conversation(ASKED, presence_penalty=0.0), {"presence_penalty": 0.0}),
        (Conversation(ASKED, frequency_penalty=-2.0), {"frequency_penalty": -2.0}),
        (Conversation(ASKED, stop=("END", "\n")), {"stop": ["END", "\n"]}),
        (Conversation(ASKED, model="gpt-x"), {"model": "gpt-x"}),
        (Conversation(ASKED), {"stream": True, "stream_options": {"include_usage": True}}),
        (
            Conversation((Message(Role.SYSTEM, "Be brief."), Message(Role.ASSISTANT, "Hi."), *ASKED)),
            {
                "messages": [
                    {"role": "system", "content": "Be brief."},
                    {"role": "assistant", "content": "Hi."},
                    {"role": "user", "content": "Hello?"},
                ]
            },
        ),
    ],
)
async def test_every_setting_reaches_the_server(
    server: OpenAiServer, conversation: Conversation, sent: dict[str, object]
) -> None:
    server.will_answer(Delta("Hi"), Finish())
    async with provider_for(server) as provider:
        await answer_to(provider, conversation)
    body = server.received[0].body
    assert {name: body[name] for name in sent} == sent


async def test_settings_left_out_are_not_sent(server: OpenAiServer) -> None:
    server.will_answer(Finish())
    async with provider_for(server) as provider:
        await answer_to(provider, Conversation(ASKED))
    assert set(server.received[0].body) == {"model", "messages", "stream", "stream_options", "max_tokens"}


async def test_a_callers_key_is_used_for_that_request_alone(server: OpenAiServer) -> None:
    server.will_answer(Finish())
    server.will_answer(Finish())
    async with provider_for(server) as provider:
        await answer_to(provider, Conversation(ASKED, api_key="callers-key"))
        await answer_to(provider, Conversation(ASKED))
    assert [request.headers["authorization"] for request in server.received] == [
        "Bearer callers-key",
        f"Bearer {SITE_KEY}",
    ]


@pytest.mark.parametrize("key", ["sk–mine", "sk\nmine"])
async def test_a_callers_key_that_cannot_be_sent_is_none(server: OpenAiServer, key: str) -> None:
    async with provider_for(server) as provider:
        failure = await failure_of(provider, Conversation(ASKED, api_key=key))
    assert failure.type is FailureType.CALLER_KEY_INVALID
    assert "mine" not in str(failure)
    assert not server.received


@pytest.mark.parametrize(
    ("refusal", "callers_key", "type_"),
    [
        (Refusal(401, "invalid_api_key"), "theirs", FailureType.CALLER_KEY_INVALID),
        (Refusal(401, "invalid_api_key"), "", FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(403), "", FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(429, "insufficient_quota"), "", FailureType.SITE_QUOTA_EXHAUSTED),
        (Refusal(429, "insufficient_quota"), "theirs", FailureType.RATE_LIMITED),
        (Refusal(429, "rate_limit_exceeded"), "", FailureType.RATE_LIMITED),
        (Refusal(400, "context_length_exceeded"), "", FailureType.CONTEXT_LENGTH_EXCEEDED),
        (Refusal(400, "unsupported_value", param="temperature"), "", FailureType.UNSUPPORTED_SETTING),
        (Refusal(400, "invalid_request_error"), "", FailureType.INVALID_REQUEST),
        (Refusal(404, "model_not_found"), "", FailureType.UNKNOWN_MODEL),
        (Refusal(500), "", FailureType.UPSTREAM_UNAVAILABLE),
        (Refusal(503), "theirs", FailureType.UPSTREAM_UNAVAILABLE),
    ],
)
async def test_refusals_are_named_for_the_caller(
    server: OpenAiServer, refusal: Refusal, callers_key: str, type_: FailureType
) -> None:
    server.will_refuse(refusal)
    async with provider_for(server) as provider:
        failure = await failure_of(provider, Conversation(ASKED, api_key=callers_key))
    assert failure.type is type_
    assert SITE_KEY not in failure.detail


async def test_a_rate_limit_says_when_to_come_back(server: OpenAiServer) -> None:
    server.will_refuse(Refusal(429, "rate_limit_exceeded", {"Retry-After": "17"}))
    async with provider_for(server) as provider:
        assert (await failure_of(provider, Conversation(ASKED))).retry_after_seconds == 17


async def test_a_passing_refusal_is_retried_by_the_library(server: OpenAiServer) -> None:
    server.will_refuse(Refusal(503, headers={"retry-after-ms": "1"}))
    server.will_answer(Delta("Hi"), Finish())
    async with provider_for(server, retries=1) as provider:
        parts = await answer_to(provider, Conversation(ASKED))
    assert ModelDelta("Hi") in parts
    assert len(server.received) == 2


@pytest.mark.parametrize(
    ("step", "type_"),
    [
        (ErrorEvent("server_error"), FailureType.UPSTREAM_UNAVAILABLE),
        (ErrorEvent("rate_limit_exceeded"), FailureType.RATE_LIMITED),
        (ErrorEvent("context_length_exceeded"), FailureType.CONTEXT_LENGTH_EXCEEDED),
        (Malformed(), FailureType.UPSTREAM_UNAVAILABLE),
        (Malformed("[1, 2]"), FailureType.UPSTREAM_UNAVAILABLE),
        (Malformed('{"choices": ["x"]}'), FailureType.UPSTREAM_UNAVAILABLE),
        (Malformed('{"choices": null}'), FailureType.UPSTREAM_UNAVAILABLE),
        (BreakOff(), FailureType.UPSTREAM_UNAVAILABLE),
    ],
)
async def test_failures_in_mid_stream_follow_what_was_already_said(
    server: OpenAiServer, step: ErrorEvent | Malformed | BreakOff, type_: FailureType
) -> None:
    server.will_answer(Delta("Once upon"), step)
    async with provider_for(server) as provider, aclosing(provider.answer(Conversation(ASKED))) as parts:
        assert isinstance(await anext(parts), ModelOpened)
        assert await anext(parts) == ModelDelta("Once upon")
        with pytest.raises(Failure) as caught:
            await anext(parts)
    assert caught.value.type is type_


async def test_an_answer_that_just_ends_is_a_failure(server: OpenAiServer) -> None:
    server.will_answer(Delta("Once upon"))
    async with provider_for(server) as provider:
        assert (await failure_of(provider, Conversation(ASKED))).type is FailureType.UPSTREAM_UNAVAILABLE


async def test_silence_in_mid_stream_ends_in_a_failure(server: OpenAiServer) -> None:
    server.will_answer(Delta("Once upon"), Stall())
    async with provider_for(server, stall_seconds=0.1) as provider:
        assert (await failure_of(provider, Conversation(ASKED))).type is FailureType.UPSTREAM_UNAVAILABLE
    await server.client_left.wait()


async def test_closing_the_answer_closes_the_connection(server: OpenAiServer) -> None:
    server.will_answer(Delta("Once upon"), Stall())
    async with provider_for(server) as provider:
        async with aclosing(provider.answer(Conversation(ASKED))) as parts:
            await anext(parts)
            await anext(parts)
        await server.client_left.wait()


async def test_cancelling_the_reader_closes_the_connection(server: OpenAiServer) -> None:
    server.will_answer(Delta("Once upon"), Stall())
    async with provider_for(server) as provider:
        begun = asyncio.Event()

        async def read() -> None:
            async with aclosing(provider.answer(Conversation(ASKED))) as parts:
                async for part in parts:
                    if isinstance(part, ModelDelta):
                        begun.set()

        reading = asyncio.create_task(read())
        await begun.wait()
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await server.client_left.wait()


async def test_a_server_that_is_gone_is_named_unavailable() -> None:
    async with OpenAiServer().running() as server:
        pass
    async with provider_for(server) as provider:
        assert (await failure_of(provider, Conversation(ASKED))).type is FailureType.UPSTREAM_UNAVAILABLE


async def test_models_are_listed_with_the_default_first(server: OpenAiServer) -> None:
    server.models = ["a-model", "gpt-4o-mini", "z-model"]
    async with provider_for(server) as provider:
        models = await provider.models()
    assert [(model.id, model.default) for model in models] == [
        ("gpt-4o-mini", True),
        ("a-model", False),
        ("z-model", False),
    ]
