"""What a request may hold, and the sentence that names what it may not."""

from __future__ import annotations

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import Conversation, Message, Role
from services.text.limits import Limits, check_conversation, check_verbatim, checked_language

LIMITS = Limits(messages=3, characters=20)
HELLO = Message(Role.USER, "Hello")


@pytest.mark.parametrize(
    ("conversation", "type_", "named"),
    [
        (Conversation(()), FailureType.INVALID_REQUEST, "messages is empty"),
        (
            Conversation((HELLO, Message(Role.USER, " \n"))),
            FailureType.INVALID_REQUEST,
            "messages[1].content",
        ),
        (Conversation((HELLO,) * 4), FailureType.TOO_LONG, "4 messages"),
        (Conversation((Message(Role.USER, "x" * 21),)), FailureType.TOO_LONG, "21 characters"),
        (Conversation((HELLO,), temperature=2.1), FailureType.INVALID_REQUEST, "temperature"),
        (Conversation((HELLO,), temperature=float("nan")), FailureType.INVALID_REQUEST, "temperature"),
        (Conversation((HELLO,), presence_penalty=-3), FailureType.INVALID_REQUEST, "presence_penalty"),
        (Conversation((HELLO,), frequency_penalty=3), FailureType.INVALID_REQUEST, "frequency_penalty"),
        (Conversation((HELLO,), max_tokens=0), FailureType.INVALID_REQUEST, "max_tokens"),
        (Conversation((HELLO,), stop=tuple("abcde")), FailureType.INVALID_REQUEST, "stop"),
        (Conversation((HELLO,), stop=("",)), FailureType.INVALID_REQUEST, "stop"),
        (Conversation((HELLO,), logit_bias={"word": 101}), FailureType.INVALID_REQUEST, "logit_bias"),
        (Conversation((HELLO,), logit_bias={" ": 1}), FailureType.INVALID_REQUEST, "logit_bias"),
    ],
)
def test_what_is_out_of_bounds_is_named(conversation: Conversation, type_: FailureType, named: str) -> None:
    with pytest.raises(Failure) as caught:
        check_conversation(conversation, LIMITS)
    assert caught.value.type is type_
    assert named in caught.value.detail


def test_the_edges_of_every_range_are_within_it() -> None:
    for temperature, penalty, bias in ((0.0, -2.0, -100.0), (2.0, 2.0, 100.0)):
        conversation = Conversation(
            (HELLO,),
            temperature=temperature,
            max_tokens=1,
            presence_penalty=penalty,
            frequency_penalty=penalty,
            stop=tuple("abcd"),
            logit_bias={"word": bias},
        )
        check_conversation(conversation, LIMITS)


@pytest.mark.parametrize(
    ("text", "type_"), [(" ", FailureType.INVALID_REQUEST), ("x" * 21, FailureType.TOO_LONG)]
)
def test_a_text_to_say_has_something_in_it_but_not_too_much(text: str, type_: FailureType) -> None:
    with pytest.raises(Failure) as caught:
        check_verbatim(text, LIMITS)
    assert caught.value.type is type_


def test_language_is_a_tag_or_auto() -> None:
    assert [checked_language(tag) for tag in ("", "auto", "zh-CN", "en")] == ["auto", "auto", "zh-CN", "en"]
    for nonsense in ("english please", "e", "../x"):
        with pytest.raises(Failure) as caught:
            checked_language(nonsense)
        assert caught.value.type is FailureType.UNSUPPORTED_LANGUAGE
