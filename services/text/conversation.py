"""What a caller asks of a model goes in as `Conversation`; what the model answers comes out as parts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """Who says a message, in OpenAI's terms."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn. The content stays out of `repr`, so that it cannot reach a log by accident."""

    role: Role
    content: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a model is asked for. None means the provider's default; 0 is a value."""

    messages: tuple[Message, ...]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: tuple[str, ...] = ()
    # Word to bias, -100..100.
    logit_bias: Mapping[str, float] = field(default_factory=dict)
    # The caller's own key, for this conversation alone.
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ModelOpened:
    """The first part of every answer: who answers, with at most how many tokens (0: not known)."""

    model: str
    max_tokens: int


@dataclass(frozen=True, slots=True)
class ModelDelta:
    """The newest piece of the answer, never empty."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written; 0 where the provider does not say."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


@dataclass(frozen=True, slots=True)
class ModelFinished:
    """The last part of every answer. `reason` is "stop", "length" or "content_filter"."""

    reason: str
    usage: Usage


ModelPart = ModelOpened | ModelDelta | ModelFinished


@dataclass(frozen=True, slots=True)
class TokenCount:
    """What a conversation's messages cost, and how much the model can hold (0: not known)."""

    prompt_tokens: int
    context_tokens: int


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked for by its id; `context_tokens` is 0 where it is not known."""

    id: str
    context_tokens: int
    default: bool
