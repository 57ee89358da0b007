"""Scripted parts go in, a provider that answers every conversation with them comes out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence

from visavis.rpc.failures import Failure

from services.text.conversation import (
    Conversation,
    Message,
    Model,
    ModelDelta,
    ModelFinished,
    ModelOpened,
    ModelPart,
    TokenCount,
    Usage,
)


class ScriptedProvider:
    """Says its deltas; then fails with `then`, or never ends when that is an event, or finishes."""

    name = "scripted"
    embedded = True

    def __init__(self, deltas: Sequence[str], then: Failure | asyncio.Event | None = None) -> None:
        self.deltas = deltas
        self.then = then
        self.asked: list[Conversation] = []
        self.closed = asyncio.Event()

    async def prepare(self) -> None:
        """Nothing to load."""

    async def close(self) -> None:
        """Nothing to free."""

    async def answer(self, conversation: Conversation) -> AsyncGenerator[ModelPart, None]:
        """The script."""
        self.asked.append(conversation)
        try:
            yield ModelOpened("scripted-1", 50)
            for delta in self.deltas:
                yield ModelDelta(delta)
            if isinstance(self.then, Failure):
                raise self.then
            if self.then is not None:
                await self.then.wait()
            yield ModelFinished("stop", Usage(3, len(self.deltas)))
        finally:
            self.closed.set()

    async def count_tokens(self, messages: Sequence[Message], model: str) -> TokenCount:
        """A token for each message."""
        return TokenCount(len(messages), 100)

    async def models(self) -> Sequence[Model]:
        """One."""
        return [Model("scripted-1", 100, default=True)]
