"""A conversation goes in whose server did not count its tokens, about what it cost comes out.

Without it such a server's replies would be free, and no daily budget would ever be spent.
"""

from __future__ import annotations

import math

from services.text.conversation import Conversation, Usage
from services.text.token_tables import has_table, prompt_tokens

# Where the model's tokens are not known: a Chinese character, or the shorter part of an English word.
_BYTES_PER_TOKEN = 3
_TOKENS_PER_MESSAGE = 4


def unsaid_usage(conversation: Conversation, model: str, pieces: int) -> Usage:
    """The prompt by the model's table or its length; of the answer, a token for each of its pieces."""
    messages = conversation.messages
    if has_table(model):
        prompt = prompt_tokens(messages, model)
    else:
        lengths = [len(message.content.encode()) for message in messages]
        prompt = sum(math.ceil(length / _BYTES_PER_TOKEN) + _TOKENS_PER_MESSAGE for length in lengths)
    return Usage(prompt, pieces)
