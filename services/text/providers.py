"""Conversations go in, answers come out: the shape of everything that writes replies, real or scripted."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from services.text.conversation import Conversation, Message, Model, ModelPart, TokenCount


class Provider(Protocol):
    """Writes replies. All methods raise `Failure` and nothing else that a caller should see."""

    @property
    def name(self) -> str:
        """As shown to users: "openai", "embedded"."""
        ...

    @property
    def embedded(self) -> bool:
        """True when the work stays on the operator's own machine."""
        ...

    async def prepare(self) -> None:
        """Loads and warms what answers need; called once, before the service says SERVING."""
        ...

    async def close(self) -> None:
        """Frees what `prepare` took. Safe to call when `prepare` failed or never ran."""
        ...

    def answer(self, conversation: Conversation) -> AsyncGenerator[ModelPart, None]:
        """One `ModelOpened`, any number of `ModelDelta`, one `ModelFinished`.

        Closing the generator stops the work behind it within 200 ms.
        """
        ...

    async def count_tokens(self, messages: Sequence[Message], model: str) -> TokenCount:
        """What the messages would cost as a prompt."""
        ...

    async def models(self) -> Sequence[Model]:
        """What `Conversation.model` may name, the default first."""
        ...
