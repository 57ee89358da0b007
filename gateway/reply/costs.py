"""An order goes in, the tokens it may cost come out: a guess on the safe side, made before work starts."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gateway.reply.estimates import Estimates
from gateway.reply.learned import Rate
from gateway.reply.orders import Order

# Three bytes are a Chinese character, or the shorter part of an English word: about one token of most models.
_BYTES_PER_TOKEN = 3
# https://cookbook.openai.com/examples/how_to_count_tokens_with_tiktoken
_PER_MESSAGE = 3
_PRIMING = 3


def prompt_tokens(contents: Iterable[str]) -> int:
    """About what these messages cost."""
    counts = [math.ceil(len(content.encode()) / _BYTES_PER_TOKEN) + _PER_MESSAGE for content in contents]
    return sum(counts) + _PRIMING


def most_tokens(order: Order, estimates: Estimates) -> int:
    """What the order's text may cost; 0 where no model is asked."""
    messages = order.request.messages
    if messages is None:
        return 0
    answer = order.request.max_tokens
    if answer is None:
        characters = estimates.rate(Rate.REPLY_CHARACTERS, order.writer)
        answer = math.ceil(characters / _BYTES_PER_TOKEN)
    return prompt_tokens(message.content for message in messages) + answer
