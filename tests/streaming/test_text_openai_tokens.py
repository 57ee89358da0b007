"""Counting, clamping and biasing by tokens: what the `openai` library sends, and what it need not ask."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import Conversation, Message, ModelOpened, Role, TokenCount
from services.text.openai_provider import OpenAiOptions, OpenAiProvider
from tests.fakes.openai_server import Finish, OpenAiServer, Refusal

HELLO = (Message(Role.USER, "Hello"),)
# Each "word" is one token of either table.
LONG = (Message(Role.USER, "word" + " word" * 7_999),)
LONG_TOKENS = 3 + 3 + 1 + 8_000
COUNTING = "/v1/responses/input_tokens"


@pytest.fixture
async def server() -> AsyncIterator[OpenAiServer]:
    async with OpenAiServer().running() as server:
        yield server


@asynccontextmanager
async def provider_at(
    base_url: str, *, model: str = "gpt-4", max_tokens: int = 500, context_tokens: int = 0
) -> AsyncIterator[OpenAiProvider]:
    options = OpenAiOptions(
        api_key="site-key-1",
        base_url=base_url,
        model=model,
        max_tokens=max_tokens,
        context_tokens=context_tokens,
        connect_seconds=5,
        stall_seconds=30,
        retries=0,
    )
    provider = OpenAiProvider(options)
    try:
        yield provider
    finally:
        await provider.close()


@pytest.fixture
def openai_itself(server: OpenAiServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """OpenAI's own address, reached through a proxy: the server here."""
    monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
    return "http://api.openai.com/v1"


async def opened(provider: OpenAiProvider, conversation: Conversation) -> ModelOpened:
    async with aclosing(provider.answer(conversation)) as parts:
        first, *_ = [part async for part in parts]
    assert isinstance(first, ModelOpened)
    return first


async def refused(provider: OpenAiProvider, conversation: Conversation) -> Failure:
    with pytest.raises(Failure) as caught:
        await opened(provider, conversation)
    return caught.value


def paths(server: OpenAiServer) -> list[str]:
    return [received.path for received in server.received]


async def test_openais_models_are_counted_here_and_nobody_is_asked(
    server: OpenAiServer, openai_itself: str
) -> None:
    async with provider_at(openai_itself) as provider:
        await provider.prepare()
        assert await provider.count_tokens(HELLO, "") == TokenCount(8, 8_192)
        assert await provider.count_tokens(LONG, "gpt-4o-mini") == TokenCount(LONG_TOKENS, 128_000)
    assert server.received == []


async def test_openai_counts_its_models_that_have_no_table_here(
    server: OpenAiServer, openai_itself: str
) -> None:
    server.input_tokens = 11
    async with provider_at(openai_itself, model="gpt-6-sol") as provider:
        assert await provider.count_tokens(HELLO, "") == TokenCount(11, 1_050_000)
    asked = server.received[0].body
    assert asked == {
        "model": "gpt-6-sol",
        "input": [{"type": "message", "role": "user", "content": "Hello"}],
    }


async def test_another_server_counts_its_own_tokens_whatever_its_model_is_called(
    server: OpenAiServer,
) -> None:
    server.input_tokens = 11
    async with provider_at(server.url, context_tokens=2_048) as provider:
        assert await provider.count_tokens(HELLO, "") == TokenCount(11, 2_048)


async def test_a_server_that_cannot_count_leaves_it_to_the_models_name(server: OpenAiServer) -> None:
    async with provider_at(server.url) as provider:
        assert await provider.count_tokens(HELLO, "") == TokenCount(8, 8_192)
        with pytest.raises(Failure) as caught:
            await provider.count_tokens(HELLO, "llama-3")
    assert caught.value.type is FailureType.UNSUPPORTED_SETTING
    assert "llama-3" in caught.value.detail


async def test_an_answer_gets_no_more_tokens_than_the_context_has_left(
    server: OpenAiServer, openai_itself: str
) -> None:
    server.will_answer(Finish())
    async with provider_at(openai_itself) as provider:
        answer = await opened(provider, Conversation(LONG, max_tokens=400))
    assert answer.max_tokens == server.received[0].body["max_completion_tokens"] == 8_192 - LONG_TOKENS


async def test_a_conversation_that_fills_the_context_is_refused_before_the_call(
    server: OpenAiServer, openai_itself: str
) -> None:
    async with provider_at(openai_itself) as provider:
        failure = await refused(provider, Conversation((*LONG, *LONG)))
    assert failure.type is FailureType.CONTEXT_LENGTH_EXCEEDED
    assert "8,192" in failure.detail
    assert server.received == []


async def test_what_fits_by_its_bytes_is_not_counted(server: OpenAiServer) -> None:
    server.will_answer(Finish())
    async with provider_at(server.url, context_tokens=2_048) as provider:
        assert (await opened(provider, Conversation(HELLO))).max_tokens == 500
    assert COUNTING not in paths(server)


async def test_another_servers_count_and_context_clamp_too(server: OpenAiServer) -> None:
    server.input_tokens = 2_000
    server.will_answer(Finish())
    async with provider_at(server.url, model="llama-3", context_tokens=2_048) as provider:
        assert (await opened(provider, Conversation(LONG))).max_tokens == 48
    assert paths(server) == [COUNTING, "/v1/chat/completions"]


async def test_where_nobody_can_count_the_server_decides(server: OpenAiServer) -> None:
    server.will_refuse(Refusal(400, "400", type="exceed_context_size_error"))
    async with provider_at(server.url, model="llama-3", context_tokens=2_048) as provider:
        failure = await refused(provider, Conversation(LONG))
    assert failure.type is FailureType.CONTEXT_LENGTH_EXCEEDED


async def test_a_biased_word_reaches_the_server_as_tokens(server: OpenAiServer) -> None:
    server.will_answer(Finish())
    async with provider_at(server.url, model="gpt-4o") as provider:
        await opened(provider, Conversation(HELLO, logit_bias={"moon": -100.0}))
    # "moon" and " moon" in o200k_base.
    assert server.received[0].body["logit_bias"] == {"123659": -100.0, "28479": -100.0}


async def test_a_biased_word_is_refused_where_the_models_tokens_are_not_known(server: OpenAiServer) -> None:
    async with provider_at(server.url, model="llama-3") as provider:
        failure = await refused(provider, Conversation(HELLO, logit_bias={"moon": -100.0}))
    assert failure.type is FailureType.UNSUPPORTED_SETTING
    assert "logit_bias" in failure.detail
    assert server.received == []


async def test_openais_list_is_cut_to_models_that_hold_conversations(
    server: OpenAiServer, openai_itself: str
) -> None:
    server.models = ["gpt-4o", "whisper-1", "gpt-4"]
    async with provider_at(openai_itself) as provider:
        models = await provider.models()
    assert [(model.id, model.context_tokens) for model in models] == [("gpt-4", 8_192), ("gpt-4o", 128_000)]
