"""A second implementation of OpenAI's API, with a real model: llama.cpp's own server, over TCP.

The real `openai` library writes replies on it exactly as an operator would have it: by its base URL alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest
import pytest_asyncio
import xllamacpp
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import (
    Conversation,
    Message,
    ModelDelta,
    ModelFinished,
    ModelOpened,
    ModelPart,
    Role,
    TokenCount,
)
from services.text.embedded_provider import installed_model
from services.text.openai_provider import OpenAiOptions, OpenAiProvider

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

KEY = "key-1"
CONTEXT_TOKENS = 512
FRANCE = (
    Message(Role.USER, "What is the capital of Italy?"),
    Message(Role.ASSISTANT, "The capital of Italy is Rome."),
    Message(Role.USER, "What is the capital of France?"),
)
STORY = (Message(Role.USER, "Tell me a long story about the sea."),)
LONG = (Message(Role.USER, "far away " * 60),)


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    params = xllamacpp.CommonParams()
    params.model.path = str(installed_model())
    params.model_alias = {"smollm2"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [KEY]
    params.n_ctx = CONTEXT_TOKENS
    params.n_parallel = 1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.verbosity = -1
    params.ui = False
    server = xllamacpp.Server(params)
    yield f"{server.listening_address}/v1"
    # Stops its threads.
    del server


@asynccontextmanager
async def provider_on(
    base_url: str, key: str = KEY, context_tokens: int = CONTEXT_TOKENS
) -> AsyncIterator[OpenAiProvider]:
    options = OpenAiOptions(
        api_key=key,
        base_url=base_url,
        model="smollm2",
        max_tokens=400,
        context_tokens=context_tokens,
        connect_seconds=5,
        stall_seconds=100,
        # The server drops idle connections without a word; the library then asks again.
        retries=2,
    )
    provider = OpenAiProvider(options)
    await provider.prepare()
    try:
        yield provider
    finally:
        await provider.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider(base_url: str) -> AsyncIterator[OpenAiProvider]:
    async with provider_on(base_url) as provider:
        yield provider


async def answer_to(provider: OpenAiProvider, conversation: Conversation) -> list[ModelPart]:
    async with aclosing(provider.answer(conversation)) as parts:
        return [part async for part in parts]


def text_of(parts: list[ModelPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, ModelDelta))


async def failure_of(provider: OpenAiProvider, conversation: Conversation) -> Failure:
    with pytest.raises(Failure) as caught:
        await answer_to(provider, conversation)
    return caught.value


async def test_it_streams_an_answer_to_the_whole_history(provider: OpenAiProvider) -> None:
    parts = await answer_to(provider, Conversation(FRANCE, temperature=0.0, max_tokens=40))
    assert parts[0] == ModelOpened("smollm2", 40)
    assert sum(isinstance(part, ModelDelta) for part in parts) > 3
    assert "Paris" in text_of(parts)


async def test_its_usage_is_what_it_counted(provider: OpenAiProvider) -> None:
    counted = await provider.count_tokens(FRANCE, "")
    finished = (await answer_to(provider, Conversation(FRANCE, max_tokens=3)))[-1]
    assert isinstance(finished, ModelFinished)
    assert counted == TokenCount(finished.usage.prompt_tokens, CONTEXT_TOKENS)
    assert (finished.reason, finished.usage.completion_tokens) == ("length", 3)


async def test_temperature_zero_and_stop_sequences_are_obeyed(provider: OpenAiProvider) -> None:
    asked = Conversation(FRANCE, temperature=0.0, max_tokens=40, stop=("Paris",))
    first, second = [text_of(await answer_to(provider, asked)) for _ in range(2)]
    assert first == second
    assert "capital" in first
    assert "Paris" not in first


async def test_an_answer_is_cut_where_the_context_ends(provider: OpenAiProvider) -> None:
    counted = await provider.count_tokens(LONG, "")
    # Nearly any word ends the answer, so that the server is free for the next test.
    opened, *_ = await answer_to(provider, Conversation(LONG, stop=("a", "e", "i", " ")))
    assert opened == ModelOpened("smollm2", CONTEXT_TOKENS - counted.prompt_tokens)


@pytest.mark.parametrize("known_context_tokens", [CONTEXT_TOKENS, 0])
async def test_too_long_a_conversation_is_refused_by_us_or_by_the_server(
    base_url: str, known_context_tokens: int
) -> None:
    async with provider_on(base_url, context_tokens=known_context_tokens) as provider:
        failure = await failure_of(provider, Conversation(LONG * 5))
    assert failure.type is FailureType.CONTEXT_LENGTH_EXCEEDED


@pytest.mark.parametrize(
    ("callers_key", "type_"),
    [("wrong", FailureType.CALLER_KEY_INVALID), ("", FailureType.SITE_QUOTA_EXHAUSTED)],
)
async def test_a_wrong_key_is_named_to_its_owner_alone(
    base_url: str, callers_key: str, type_: FailureType
) -> None:
    async with provider_on(base_url, key="wrong-site-key") as provider:
        failure = await failure_of(provider, Conversation(FRANCE, api_key=callers_key))
    assert failure.type is type_
    assert "wrong" not in failure.detail


async def test_biased_words_are_refused_for_a_model_without_a_table(provider: OpenAiProvider) -> None:
    failure = await failure_of(provider, Conversation(FRANCE, logit_bias={"Paris": -100.0}))
    assert failure.type is FailureType.UNSUPPORTED_SETTING


async def test_leaving_stops_the_computation_at_once(provider: OpenAiProvider) -> None:
    """The server has one place: whoever comes next would wait for the rest of the story."""
    async with aclosing(provider.answer(Conversation(STORY, max_tokens=400))) as parts:
        async for part in parts:
            if isinstance(part, ModelDelta):
                break
    async with asyncio.timeout(5):
        parts_of_next = await answer_to(provider, Conversation(FRANCE, max_tokens=3))
    assert isinstance(parts_of_next[-1], ModelFinished)


async def test_its_models_are_listed(provider: OpenAiProvider) -> None:
    default, *_ = await provider.models()
    assert (default.id, default.context_tokens, default.default) == ("smollm2", CONTEXT_TOKENS, True)
