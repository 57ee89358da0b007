"""A request's parts go in; nothing comes out when all is within bounds, else a `Failure` says what is not."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import Conversation, Message

MAX_STOP_SEQUENCES = 4
MAX_STOP_CHARACTERS = 200
MAX_BIASED_WORDS = 300
MAX_BIASED_WORD_CHARACTERS = 100
# BCP 47 in the shapes that speech engines know: en, en-US, cmn-Hans-CN.
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


@dataclass(frozen=True, slots=True)
class Limits:
    """The most that one request may hold."""

    messages: int
    characters: int


def check_messages(messages: Sequence[Message], limits: Limits) -> None:
    """Raises `Failure`: no messages, too many, one without content, or too much text in all."""
    if not messages:
        raise Failure(FailureType.INVALID_REQUEST, "messages is empty: send at least one message.")
    if len(messages) > limits.messages:
        raise Failure(
            FailureType.TOO_LONG,
            f"There are {len(messages):,} messages; at most {limits.messages:,} are taken.",
        )
    for position, message in enumerate(messages):
        if not message.content.strip():
            raise Failure(FailureType.INVALID_REQUEST, f"messages[{position}].content is empty.")
    total = sum(len(message.content) for message in messages)
    if total > limits.characters:
        raise Failure(
            FailureType.TOO_LONG,
            f"The messages hold {total:,} characters; at most {limits.characters:,} are taken.",
        )


def check_conversation(conversation: Conversation, limits: Limits) -> None:
    """Raises `Failure` for messages (above) and for settings outside their published ranges."""
    check_messages(conversation.messages, limits)
    _check_range("temperature", conversation.temperature, 0, 2)
    _check_range("presence_penalty", conversation.presence_penalty, -2, 2)
    _check_range("frequency_penalty", conversation.frequency_penalty, -2, 2)
    if conversation.max_tokens == 0:
        raise Failure(FailureType.INVALID_REQUEST, "max_tokens is 0: ask for at least 1, or leave it out.")
    if len(conversation.stop) > MAX_STOP_SEQUENCES:
        raise Failure(FailureType.INVALID_REQUEST, f"stop may hold at most {MAX_STOP_SEQUENCES} sequences.")
    if not all(0 < len(sequence) <= MAX_STOP_CHARACTERS for sequence in conversation.stop):
        raise Failure(
            FailureType.INVALID_REQUEST, f"Each stop sequence needs 1 to {MAX_STOP_CHARACTERS} characters."
        )
    if len(conversation.logit_bias) > MAX_BIASED_WORDS:
        raise Failure(FailureType.INVALID_REQUEST, f"logit_bias may hold at most {MAX_BIASED_WORDS} words.")
    for word, bias in conversation.logit_bias.items():
        if not word.strip():
            raise Failure(FailureType.INVALID_REQUEST, "logit_bias holds an empty word.")
        if len(word) > MAX_BIASED_WORD_CHARACTERS:
            raise Failure(
                FailureType.INVALID_REQUEST,
                f"Each word of logit_bias may have at most {MAX_BIASED_WORD_CHARACTERS} characters.",
            )
        _check_range("Each value of logit_bias", bias, -100, 100)


def check_verbatim(text: str, limits: Limits) -> None:
    """Raises `Failure`: nothing to say, or too much."""
    if not text.strip():
        raise Failure(FailureType.INVALID_REQUEST, "The text to say is empty.")
    if len(text) > limits.characters:
        raise Failure(
            FailureType.TOO_LONG,
            f"The text holds {len(text):,} characters; at most {limits.characters:,} are taken.",
        )


def checked_language(language: str) -> str:
    """The language asked for; "auto" where none was. Raises `Failure` where it is no language tag."""
    if language in ("", "auto"):
        return "auto"
    if not _LANGUAGE_TAG.fullmatch(language):
        raise Failure(
            FailureType.UNSUPPORTED_LANGUAGE, 'language must be "auto" or a tag such as "en" or "zh-CN".'
        )
    return language


def _check_range(name: str, value: float | None, lowest: float, highest: float) -> None:
    # Written so that NaN fails too.
    if value is not None and not lowest <= value <= highest:
        raise Failure(FailureType.INVALID_REQUEST, f"{name} must lie between {lowest} and {highest}.")
