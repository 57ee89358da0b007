"""Conversations go in, answers come out slowly enough to be broken off; every question is remembered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from typing import Any

from visavis.v1 import text_pb2

from tests.fakes.stages import FakeText

SECONDS_PER_PART = 0.04
_ANSWER = "{name} is a rock. It shines at night. Nobody lives there. The sea knows it well."


def answer_to(name: str) -> str:
    """What is said of it, each time the same."""
    return _ANSWER.format(name=name)


class SlowText(FakeText):
    """Asked to go on, it says the last word again, and goes on; asked what it is, it says."""

    def __init__(self) -> None:
        super().__init__()
        # When each conversation was asked for, in Unix seconds, by its question.
        self.asked: dict[str, list[float]] = {}

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, context: Any
    ) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
        async for response in super().StreamReply(request, context):
            if request.HasField("conversation"):
                await asyncio.sleep(SECONDS_PER_PART)
            yield response

    def answer(self, conversation: text_pb2.Conversation) -> str:
        question = conversation.messages[0].content
        self.asked.setdefault(question, []).append(time.time())
        whole = answer_to(question)
        said = conversation.messages[1].content if len(conversation.messages) > 1 else ""
        return whole[len(said.rstrip()) - len((said.split() or [""])[-1]) :]
