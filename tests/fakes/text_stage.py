"""A text, or the script of one, goes in; a text service that says it in deltas and utterances comes out."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any

from visavis.v1 import media_pb2, text_pb2, text_pb2_grpc

from tests.fakes.faults import Faults

REPLY = "The moon is a rock. It shines at night. Nobody lives there."
CONTEXT_TOKENS = 2_000
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]+\s*|[^.!?。！？]+$")


class FakeText(text_pb2_grpc.TextServiceServicer):
    """Answers conversations with `reply`, which ends for `finish_reason`.

    It cuts after full stops; a part with a backtick is not spoken.
    """

    def __init__(self) -> None:
        self.reply = REPLY
        self.finish_reason = "stop"
        self.faults = Faults()
        self.requests: list[text_pb2.StreamReplyRequest] = []

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, context: Any
    ) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
        self.requests.append(request)
        asked = request.HasField("conversation")
        text = self.answer(request.conversation) if asked else request.verbatim
        reason = self.finish_reason if asked else "stop"
        async for response in self.faults.applied(_text_responses(text, reason)):
            yield response

    def answer(self, conversation: text_pb2.Conversation) -> str:
        """What the model says."""
        return self.reply

    async def CountTokens(
        self, request: text_pb2.CountTokensRequest, context: Any
    ) -> text_pb2.CountTokensResponse:
        count = sum(3 + len(message.content.split()) for message in request.messages) + 3
        return text_pb2.CountTokensResponse(prompt_tokens=count, context_tokens=CONTEXT_TOKENS)

    async def ListModels(
        self, request: text_pb2.ListModelsRequest, context: Any
    ) -> text_pb2.ListModelsResponse:
        provider = media_pb2.Provider(name="embedded", embedded=True)
        model = text_pb2.Model(id="tiny", provider=provider, context_tokens=CONTEXT_TOKENS, default=True)
        return text_pb2.ListModelsResponse(models=[model])


async def _text_responses(text: str, reason: str) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
    yield text_pb2.StreamReplyResponse(started=text_pb2.TextStarted(model="tiny"))
    index = 0
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        for word in re.findall(r"\S+\s*", sentence):
            yield text_pb2.StreamReplyResponse(delta=text_pb2.TextDelta(delta=word))
        if "`" in sentence:
            continue
        yield text_pb2.StreamReplyResponse(
            utterance=text_pb2.Utterance(
                index=index,
                text=sentence.strip(),
                spoken_text=sentence.strip(),
                language="en",
                offset=match.start(),
            )
        )
        index += 1
    usage = text_pb2.TextUsage(prompt_tokens=7, completion_tokens=len(text.split()))
    finished = text_pb2.TextFinished(text=text, usage=usage, finish_reason=reason)
    yield text_pb2.StreamReplyResponse(finished=finished)
