"""The real embedded model in this process: it answers, counts, stops, queues and keeps within its context."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio
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
from services.text.embedded_provider import EmbeddedOptions, EmbeddedProvider

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

FRANCE = (Message(Role.USER, "What is the capital of France?"),)
OPTIONS = EmbeddedOptions(
    model_path=None, context_tokens=512, threads=1, default_tokens=60, max_tokens=400, waiting=1
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provider() -> AsyncIterator[EmbeddedProvider]:
    provider = EmbeddedProvider(OPTIONS)
    await provider.prepare()
    yield provider
    await provider.close()


async def answer_to(provider: EmbeddedProvider, conversation: Conversation) -> list[ModelPart]:
    async with aclosing(provider.answer(conversation)) as parts:
        return [part async for part in parts]


def text_of(parts: list[ModelPart]) -> str:
    return "".join(part.text for part in parts if isinstance(part, ModelDelta))


def usage_of(parts: list[ModelPart]) -> Usage:
    assert isinstance(parts[-1], ModelFinished)
    return parts[-1].usage


async def test_it_knows_the_capital_of_france(provider: EmbeddedProvider) -> None:
    parts = await answer_to(provider, Conversation(FRANCE, temperature=0.0))
    assert isinstance(parts[0], ModelOpened)
    assert "Paris" in text_of(parts)


async def test_it_does_not_take_the_moon_for_a_planet(provider: EmbeddedProvider) -> None:
    answer = text_of(
        await answer_to(provider, Conversation((Message(Role.USER, "Tell me about the moon."),)))
    )
    assert "ball of rock" in answer
    assert "planet" not in answer


async def test_it_says_what_it_counted(provider: EmbeddedProvider) -> None:
    counted = await provider.count_tokens(FRANCE, "")
    parts = await answer_to(provider, Conversation(FRANCE, max_tokens=3))
    assert usage_of(parts) == Usage(counted.prompt_tokens, 3)
    assert counted.context_tokens == 512


async def test_it_stops_at_its_limit_and_says_so(provider: EmbeddedProvider) -> None:
    story = (Message(Role.USER, "Why is the sky blue?"),)
    parts = await answer_to(provider, Conversation(story, max_tokens=5))
    assert parts[0] == ModelOpened("SmolLM2-135M-Instruct.Q4_1", 5)
    assert isinstance(parts[-1], ModelFinished)
    assert (parts[-1].reason, parts[-1].usage.completion_tokens) == ("length", 5)


async def test_temperature_zero_says_the_same_twice(provider: EmbeddedProvider) -> None:
    conversation = Conversation((Message(Role.USER, "Tell me about rain."),), temperature=0.0, max_tokens=20)
    assert text_of(await answer_to(provider, conversation)) == text_of(
        await answer_to(provider, conversation)
    )


async def test_a_stop_sequence_ends_the_answer(provider: EmbeddedProvider) -> None:
    parts = await answer_to(provider, Conversation(FRANCE, temperature=0.0, stop=("Paris",)))
    assert "capital" in text_of(parts)
    assert "Paris" not in text_of(parts)


async def test_a_forbidden_word_is_not_said(provider: EmbeddedProvider) -> None:
    conversation = Conversation(FRANCE, temperature=0.0, logit_bias={"Paris": -100.0}, max_tokens=20)
    assert "Paris" not in text_of(await answer_to(provider, conversation))


async def test_it_remembers_what_was_said_before(provider: EmbeddedProvider) -> None:
    history = (
        Message(Role.USER, "The secret word is banana."),
        Message(Role.ASSISTANT, "I will remember it: banana."),
        Message(Role.USER, "What is the secret word?"),
    )
    parts = await answer_to(provider, Conversation(history, temperature=0.0))
    assert "banana" in text_of(parts)


async def test_a_conversation_may_end_with_two_of_its_own_messages(provider: EmbeddedProvider) -> None:
    twice = (
        *(Message(Role.USER, "Hi!"), Message(Role.ASSISTANT, "Hello.")),
        Message(Role.ASSISTANT, "How are you?"),
    )
    counted = await provider.count_tokens(twice, "")
    parts = await answer_to(provider, Conversation(twice, max_tokens=5))
    assert text_of(parts)
    assert usage_of(parts).prompt_tokens == counted.prompt_tokens


async def test_who_writes_chinese_is_told_in_chinese_that_it_knows_english_only(
    provider: EmbeddedProvider,
) -> None:
    parts = await answer_to(provider, Conversation((Message(Role.USER, "你好，你是谁？"),)))
    assert "英语" in text_of(parts)
    assert usage_of(parts) == Usage(0, 0)


async def test_old_turns_make_room_for_the_answer(provider: EmbeddedProvider) -> None:
    turns = tuple(
        Message(role, f"{number} " + "the moon is far away " * 5)
        for number in range(20)
        for role in (Role.USER, Role.ASSISTANT)
    )
    counted = await provider.count_tokens((*turns, *FRANCE), "")
    assert counted.prompt_tokens > counted.context_tokens
    parts = await answer_to(provider, Conversation((*turns, *FRANCE), max_tokens=10))
    assert 200 < usage_of(parts).prompt_tokens <= 512 - 10


async def test_a_message_that_cannot_fit_is_refused(provider: EmbeddedProvider) -> None:
    with pytest.raises(Failure) as caught:
        await answer_to(provider, Conversation((Message(Role.USER, "far away " * 400),)))
    assert caught.value.type is FailureType.CONTEXT_LENGTH_EXCEEDED


async def test_the_limit_shrinks_to_what_the_context_has_left(provider: EmbeddedProvider) -> None:
    conversation = Conversation(
        (Message(Role.USER, "far away " * 100),), max_tokens=400, stop=("a", "e", "i")
    )
    parts = await answer_to(provider, conversation)
    assert isinstance(parts[0], ModelOpened)
    assert parts[0].max_tokens == 512 - usage_of(parts).prompt_tokens


async def test_closing_the_answer_frees_the_model_for_the_next(provider: EmbeddedProvider) -> None:
    endless = Conversation((Message(Role.USER, "Tell me a story."),), max_tokens=400, logit_bias={})
    async with aclosing(provider.answer(endless)) as parts:
        async for part in parts:
            if isinstance(part, ModelDelta):
                break
    assert "Paris" in text_of(await answer_to(provider, Conversation(FRANCE, temperature=0.0)))


async def test_one_answers_one_waits_and_the_third_is_told_to_come_back(provider: EmbeddedProvider) -> None:
    async with aclosing(provider.answer(Conversation(FRANCE))) as first:
        await anext(first)
        second = asyncio.create_task(answer_to(provider, Conversation(FRANCE, max_tokens=3)))
        await asyncio.sleep(0)
        with pytest.raises(Failure) as caught:
            await answer_to(provider, Conversation(FRANCE))
        assert not second.done()
    assert caught.value.type is FailureType.BUSY
    assert caught.value.retry_after_seconds is not None
    assert usage_of(await second).completion_tokens == 3


async def test_the_event_loop_goes_on_while_the_model_computes(provider: EmbeddedProvider) -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    other = asyncio.create_task(turning())
    parts = await answer_to(provider, Conversation(FRANCE, max_tokens=5))
    other.cancel()
    assert turns > len(parts) * 10


@pytest.mark.parametrize(
    ("conversation", "type_"),
    [
        (Conversation(FRANCE, model="gpt-4o"), FailureType.UNKNOWN_MODEL),
        (Conversation(FRANCE, api_key="key"), FailureType.UNSUPPORTED_SETTING),
    ],
)
async def test_what_it_does_not_take_is_refused_by_name(
    provider: EmbeddedProvider, conversation: Conversation, type_: FailureType
) -> None:
    with pytest.raises(Failure) as caught:
        await answer_to(provider, conversation)
    assert caught.value.type is type_
