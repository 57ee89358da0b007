"""A model's answer, or a text to say, goes in; the reply's deltas and utterances come out as it grows."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, field

from services.text.conversation import Conversation, ModelDelta, ModelFinished, ModelOpened, Usage
from services.text.providers import Provider
from services.text.utterances import Utterance, UtteranceSplitter


@dataclass(frozen=True, slots=True)
class ReplyStarted:
    """Who writes. `model` is empty and `max_tokens` 0 where no model is asked."""

    model: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class ReplyDelta:
    """The newest piece of the text."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ReplyFinished:
    """The whole text, what it cost, and why it ended: "stop", "length" or "content_filter"."""

    text: str = field(repr=False)
    usage: Usage
    reason: str


ReplyPart = ReplyStarted | ReplyDelta | Utterance | ReplyFinished


async def written_reply(
    provider: Provider, conversation: Conversation, language: str
) -> AsyncGenerator[ReplyPart, None]:
    """The reply that `provider` writes; each utterance follows the delta that makes its end certain."""
    splitter = UtteranceSplitter(language)
    deltas: list[str] = []
    async with aclosing(provider.answer(conversation)) as parts:
        async for part in parts:
            match part:
                case ModelOpened():
                    yield ReplyStarted(part.model, part.max_tokens)
                case ModelDelta():
                    deltas.append(part.text)
                    yield ReplyDelta(part.text)
                    for utterance in splitter.feed(part.text):
                        yield utterance
                case ModelFinished():
                    for utterance in splitter.finish():
                        yield utterance
                    yield ReplyFinished("".join(deltas), part.usage, part.reason)


async def verbatim_reply(text: str, language: str) -> AsyncGenerator[ReplyPart, None]:
    """`text` itself as a reply, one delta for each utterance."""
    splitter = UtteranceSplitter(language)
    yield ReplyStarted(model="", max_tokens=0)
    told = 0
    for utterance in [*splitter.feed(text), *splitter.finish()]:
        end = utterance.offset + len(utterance.text)
        yield ReplyDelta(text[told:end])
        told = end
        yield utterance
    if told < len(text):
        yield ReplyDelta(text[told:])
    yield ReplyFinished(text, Usage(), "stop")
