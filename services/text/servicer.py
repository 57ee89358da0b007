"""Protobuf requests go in, protobuf responses come out; all that happens in between is elsewhere."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, TypeAlias

import grpc
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import media_pb2, text_pb2, text_pb2_grpc

from services.text.conversation import Conversation, Message, Role
from services.text.limits import (
    Limits,
    check_conversation,
    check_messages,
    check_verbatim,
    checked_language,
)
from services.text.providers import Provider
from services.text.reply import (
    ReplyDelta,
    ReplyFinished,
    ReplyPart,
    ReplyStarted,
    verbatim_reply,
    written_reply,
)
from services.text.utterances import Utterance

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]

_ROLES: dict[int, Role] = {
    text_pb2.ROLE_SYSTEM: Role.SYSTEM,
    text_pb2.ROLE_USER: Role.USER,
    text_pb2.ROLE_ASSISTANT: Role.ASSISTANT,
}


class TextServicer(text_pb2_grpc.TextServiceServicer):
    """visavis.v1.TextService over one provider."""

    def __init__(self, provider: Provider, limits: Limits) -> None:
        self._provider = provider
        self._limits = limits

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, _context: Context
    ) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
        """Deltas, utterances and the end of one reply."""
        async with aclosing(self._reply(request)) as parts:
            async for part in parts:
                yield self._response(part)

    async def CountTokens(
        self, request: text_pb2.CountTokensRequest, _context: Context
    ) -> text_pb2.CountTokensResponse:
        """What the messages would cost."""
        messages = _messages(request.messages)
        check_messages(messages, self._limits)
        count = await self._provider.count_tokens(messages, request.model)
        return text_pb2.CountTokensResponse(
            prompt_tokens=count.prompt_tokens, context_tokens=count.context_tokens
        )

    async def ListModels(
        self, _request: text_pb2.ListModelsRequest, _context: Context
    ) -> text_pb2.ListModelsResponse:
        """What a conversation may name as its model."""
        models = await self._provider.models()
        return text_pb2.ListModelsResponse(
            models=[
                text_pb2.Model(
                    id=model.id,
                    provider=self._named_provider(),
                    context_tokens=model.context_tokens,
                    default=model.default,
                )
                for model in models
            ]
        )

    def _reply(self, request: text_pb2.StreamReplyRequest) -> AsyncGenerator[ReplyPart, None]:
        language = checked_language(request.language)
        match request.WhichOneof("source"):
            case "conversation":
                conversation = _conversation(request.conversation)
                check_conversation(conversation, self._limits)
                return written_reply(self._provider, conversation, language)
            case "verbatim":
                check_verbatim(request.verbatim, self._limits)
                return verbatim_reply(request.verbatim, language)
        raise Failure(FailureType.INVALID_REQUEST, "Send either a conversation or a text to say.")

    def _response(self, part: ReplyPart) -> text_pb2.StreamReplyResponse:
        match part:
            case ReplyStarted():
                # A verbatim text is nobody's but the caller's.
                provider = self._named_provider() if part.model else media_pb2.Provider(embedded=True)
                started = text_pb2.TextStarted(
                    provider=provider, model=part.model, max_tokens=part.max_tokens
                )
                return text_pb2.StreamReplyResponse(started=started)
            case ReplyDelta():
                return text_pb2.StreamReplyResponse(delta=text_pb2.TextDelta(delta=part.text))
            case Utterance():
                return text_pb2.StreamReplyResponse(utterance=_utterance(part))
            case ReplyFinished():
                return text_pb2.StreamReplyResponse(finished=_finished(part))

    def _named_provider(self) -> media_pb2.Provider:
        return media_pb2.Provider(name=self._provider.name, embedded=self._provider.embedded)


def _conversation(asked: text_pb2.Conversation) -> Conversation:
    return Conversation(
        messages=_messages(asked.messages),
        model=asked.model,
        temperature=asked.temperature if asked.HasField("temperature") else None,
        max_tokens=asked.max_tokens if asked.HasField("max_tokens") else None,
        presence_penalty=asked.presence_penalty if asked.HasField("presence_penalty") else None,
        frequency_penalty=asked.frequency_penalty if asked.HasField("frequency_penalty") else None,
        stop=tuple(asked.stop),
        logit_bias=dict(asked.logit_bias),
        api_key=asked.api_key,
    )


def _messages(messages: Iterable[text_pb2.Message]) -> tuple[Message, ...]:
    return tuple(
        Message(_role(message.role, position), message.content) for position, message in enumerate(messages)
    )


def _role(role: int, position: int) -> Role:
    if role not in _ROLES:
        raise Failure(
            FailureType.INVALID_REQUEST, f"messages[{position}].role must be system, user or assistant."
        )
    return _ROLES[role]


def _utterance(utterance: Utterance) -> text_pb2.Utterance:
    return text_pb2.Utterance(
        index=utterance.index,
        text=utterance.text,
        spoken_text=utterance.spoken_text,
        language=utterance.language,
        offset=utterance.offset,
    )


def _finished(finished: ReplyFinished) -> text_pb2.TextFinished:
    usage = text_pb2.TextUsage(
        prompt_tokens=finished.usage.prompt_tokens, completion_tokens=finished.usage.completion_tokens
    )
    return text_pb2.TextFinished(text=finished.text, usage=usage, finish_reason=finished.reason)
