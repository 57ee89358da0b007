"""A provider's deltas against the reply's parts."""

from __future__ import annotations

from contextlib import aclosing

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import Conversation, Message, Role, Usage
from services.text.reply import (
    ReplyDelta,
    ReplyFinished,
    ReplyPart,
    ReplyStarted,
    verbatim_reply,
    written_reply,
)
from services.text.utterances import Utterance
from tests.fakes.text_provider import ScriptedProvider

ASKED = Conversation((Message(Role.USER, "Hello?"),))


async def written(deltas: list[str]) -> list[ReplyPart]:
    async with aclosing(written_reply(ScriptedProvider(deltas), ASKED, "auto")) as parts:
        return [part async for part in parts]


async def verbatim(text: str) -> list[ReplyPart]:
    async with aclosing(verbatim_reply(text, "auto")) as parts:
        return [part async for part in parts]


def assert_utterances_follow_their_text(parts: list[ReplyPart]) -> None:
    told = ""
    for part in parts:
        if isinstance(part, ReplyDelta):
            told += part.text
        elif isinstance(part, Utterance):
            assert told[part.offset : part.offset + len(part.text)] == part.text


async def test_a_reply_starts_tells_its_deltas_and_finishes_with_the_whole_text() -> None:
    parts = await written(["The sun ", "is a star. ", "It is hot. 🎉"])
    assert parts[0] == ReplyStarted("scripted-1", 50)
    assert [part.text for part in parts if isinstance(part, Utterance)] == [
        "The sun is a star.",
        "It is hot. 🎉",
    ]
    assert parts[-1] == ReplyFinished("The sun is a star. It is hot. 🎉", Usage(3, 3), "stop")
    assert_utterances_follow_their_text(parts)


async def test_the_first_utterance_comes_while_the_model_still_writes() -> None:
    parts = await written(["The sun is a star. ", "The moon is not, it is ", "a ball of rock."])
    assert [type(part) for part in parts[1:4]] == [ReplyDelta, ReplyDelta, Utterance]


async def test_a_failing_model_has_said_what_it_said() -> None:
    provider = ScriptedProvider(["Once upon"], Failure(FailureType.UPSTREAM_UNAVAILABLE, "gone"))
    told = []
    with pytest.raises(Failure):
        async with aclosing(written_reply(provider, ASKED, "auto")) as parts:
            async for part in parts:
                told.append(part)  # noqa: PERF401
    assert told == [ReplyStarted("scripted-1", 50), ReplyDelta("Once upon")]


@settings(deadline=None)
@given(st.text(min_size=1, max_size=300))
async def test_a_verbatim_text_is_told_word_for_word(text: str) -> None:
    parts = await verbatim(text)
    assert "".join(part.text for part in parts if isinstance(part, ReplyDelta)) == text
    assert parts[-1] == ReplyFinished(text, Usage(0, 0), "stop")
    assert_utterances_follow_their_text(parts)
