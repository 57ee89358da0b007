"""A conversation goes in, deltas and utterances come out: the text service, seen from here."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import grpc
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import text_pb2, text_pb2_grpc

from gateway.stages.call import Call, Patience

STAGE = "text"
Role: TypeAlias = Literal["system", "user", "assistant"]
# Why a text ended: by itself or at a stop word, at `max_tokens`, by the provider's filter.
FinishReason: TypeAlias = Literal["stop", "length", "content_filter"]
_ROLES: dict[Role, text_pb2.Role.ValueType] = {
    "system": text_pb2.ROLE_SYSTEM,
    "user": text_pb2.ROLE_USER,
    "assistant": text_pb2.ROLE_ASSISTANT,
}
_CUT: dict[str, FinishReason] = {"length": "length", "content_filter": "content_filter"}


@dataclass(frozen=True, slots=True)
class Conversation:
    """What a language model is asked for. None means the provider's default; 0 is a value."""

    messages: Sequence[tuple[Role, str]]
    model: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    stop: Sequence[str] = ()
    logit_bias: Mapping[str, float] = field(default_factory=dict)
    api_key: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Started:
    """The provider has been asked."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The newest piece of the text."""

    text: str


@dataclass(frozen=True, slots=True)
class Utterance:
    """A part to be spoken: `text` as shown, `spoken_text` as said, `language` never "auto"."""

    text: str
    spoken_text: str
    language: str


@dataclass(frozen=True, slots=True)
class TextFinished:
    """The whole text, what it cost, and why it ended."""

    text: str
    prompt_tokens: int
    completion_tokens: int
    reason: FinishReason


TextPart: TypeAlias = Started | Delta | Utterance | TextFinished


@dataclass(frozen=True, slots=True)
class Model:
    """A language model that can be asked; `embedded` when it runs on the operator's own machines."""

    id: str
    provider: str
    embedded: bool
    context_tokens: int
    default: bool


class TextStage:
    """Calls the text service over one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub: text_pb2_grpc.TextServiceAsyncStub = text_pb2_grpc.TextServiceStub(channel)

    async def reply(
        self, source: Conversation | str, language: str, call: Call
    ) -> AsyncGenerator[TextPart, None]:
        """The reply to a conversation, or a string word for word. Raises Failure.

        A call that breaks is made again; after its first part only where that repeats the same parts, which a
        model does not.
        """
        patience = Patience(call)
        delivered = 0
        while True:
            position = 0
            try:
                async with aclosing(self._attempt(source, language, call)) as parts:
                    async for part in parts:
                        if isinstance(part, Started):
                            yield part
                            continue
                        position += 1
                        if position <= delivered:
                            continue
                        patience.renew()
                        delivered = position
                        yield part
            except Failure as failure:
                if delivered and isinstance(source, Conversation):
                    raise
                await patience.wait_after(failure)
            else:
                return

    async def _attempt(
        self, source: Conversation | str, language: str, call: Call
    ) -> AsyncGenerator[TextPart, None]:
        request = text_pb2.StreamReplyRequest(language=language)
        if isinstance(source, Conversation):
            request.conversation.CopyFrom(_conversation(source))
        else:
            request.verbatim = source
        finished = False
        with call.traced(STAGE) as metadata, calling(STAGE):
            responses = self._stub.StreamReply(request, timeout=call.seconds_left, metadata=metadata)
            try:
                async for response in responses:
                    part = _part(response)
                    finished = finished or isinstance(part, TextFinished)
                    if part is not None:
                        yield part
            finally:
                responses.cancel()
        if not finished:
            raise Failure(FailureType.INTERRUPTED, "The text ended before it was finished.", stage=STAGE)

    async def token_counts(
        self, messages: Sequence[tuple[Role, str]], model: str, call: Call
    ) -> tuple[int, int]:
        """Tokens of the prompt, and tokens the model can read. Raises Failure."""
        request = text_pb2.CountTokensRequest(messages=_messages(messages), model=model)
        with calling(STAGE):
            counts = await self._stub.CountTokens(request, timeout=call.seconds_left, metadata=call.metadata)
        return counts.prompt_tokens, counts.context_tokens

    async def models(self, call: Call) -> list[Model]:
        """The models that can be asked. Raises Failure."""
        with calling(STAGE):
            listed = await self._stub.ListModels(
                text_pb2.ListModelsRequest(), timeout=call.seconds_left, metadata=call.metadata
            )
        return [
            Model(m.id, m.provider.name, m.provider.embedded, m.context_tokens, m.default)
            for m in listed.models
        ]


def _messages(messages: Sequence[tuple[Role, str]]) -> list[text_pb2.Message]:
    return [text_pb2.Message(role=_ROLES[role], content=content) for role, content in messages]


def _conversation(source: Conversation) -> text_pb2.Conversation:
    return text_pb2.Conversation(
        messages=_messages(source.messages),
        model=source.model,
        temperature=source.temperature,
        max_tokens=source.max_tokens,
        presence_penalty=source.presence_penalty,
        frequency_penalty=source.frequency_penalty,
        stop=source.stop,
        logit_bias=source.logit_bias,
        api_key=source.api_key,
    )


def _part(response: text_pb2.StreamReplyResponse) -> TextPart | None:
    match response.WhichOneof("event"):
        case "started":
            return Started()
        case "delta":
            return Delta(response.delta.delta)
        case "utterance":
            said = response.utterance
            return Utterance(said.text, said.spoken_text, said.language)
        case "finished":
            whole = response.finished
            return TextFinished(
                whole.text,
                whole.usage.prompt_tokens,
                whole.usage.completion_tokens,
                _CUT.get(whole.finish_reason, "stop"),
            )
        case _:
            return None
