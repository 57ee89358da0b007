"""A conversation and a persona go in, the body of a request for llama.cpp's chat completions comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.text.conversation import Conversation, Message
from services.text.persona import Persona


def chat_request(
    conversation: Conversation, persona: Persona, prompt: Sequence[Message], max_tokens: int
) -> dict[str, Any]:
    """The body. `prompt` is what the model reads: the persona's messages, then as much history as fits."""
    temperature = conversation.temperature
    return {
        "messages": as_json(prompt),
        "max_tokens": max_tokens,
        "temperature": persona.temperature if temperature is None else temperature,
        "repeat_penalty": persona.repeat_penalty,
        "presence_penalty": conversation.presence_penalty or 0,
        "frequency_penalty": conversation.frequency_penalty or 0,
        "stop": list(conversation.stop),
        # A word has other tokens at a text's beginning than after a space; llama.cpp finds them itself.
        "logit_bias": [
            [form, bias] for word, bias in conversation.logit_bias.items() for form in (word, f" {word}")
        ],
    }


def as_json(messages: Sequence[Message]) -> list[dict[str, str]]:
    """The messages in OpenAI's format."""
    return [{"role": str(message.role), "content": message.content} for message in messages]
