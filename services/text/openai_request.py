"""A conversation goes in, the body of a request for OpenAI's chat completions comes out.

Fields: https://platform.openai.com/docs/api-reference/chat/create.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import Conversation, Message
from services.text.token_tables import has_table, token_biases


def chat_request(
    conversation: Conversation, model: str, max_tokens: int, *, at_openai: bool
) -> dict[str, Any]:
    """The body. Settings that the caller left out are left out.

    Raises:
        Failure: UNSUPPORTED_SETTING for biased words where the model's tokens are not known.
    """
    # OpenAI's newer models know only max_completion_tokens, many compatible servers only max_tokens.
    limit = "max_completion_tokens" if at_openai else "max_tokens"
    request: dict[str, Any] = {
        "model": model,
        "messages": as_json(conversation.messages),
        "stream": True,
        "stream_options": {"include_usage": True},
        limit: max_tokens,
        "temperature": conversation.temperature,
        "presence_penalty": conversation.presence_penalty,
        "frequency_penalty": conversation.frequency_penalty,
        "stop": list(conversation.stop) or None,
        "logit_bias": _biases(conversation, model) or None,
    }
    return {name: value for name, value in request.items() if value is not None}


def as_json(messages: Sequence[Message]) -> list[Any]:
    """The messages in OpenAI's format."""
    return [{"role": str(message.role), "content": message.content} for message in messages]


def _biases(conversation: Conversation, model: str) -> dict[str, float]:
    if not conversation.logit_bias:
        return {}
    if not has_table(model):
        raise Failure(
            FailureType.UNSUPPORTED_SETTING,
            f"logit_bias cannot be used: this site has no token table for {model}.",
        )
    return token_biases(conversation.logit_bias, model)
