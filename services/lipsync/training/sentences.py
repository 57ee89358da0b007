"""A seed in, endless sentences out, in six languages.

English and Mandarin: a small grammar for melody, rare words for sounds. Others: words in a row.

The words in vocabulary/ are this project's own; the English dictionary is the one inside PocketSphinx
(BSD licence), so that every sentence can be aligned.
"""

import functools
import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pocketsphinx

Sentences = Callable[[np.random.Generator], str]
Vocabulary = dict[str, list[str]]

_FOLDER = Path(__file__).parent / "vocabulary"


def english_sentence(rng: np.random.Generator) -> str:
    """Return a sentence of 3 to 20 words in lower case, each of them in PocketSphinx's dictionary."""
    words = vocabulary("english")
    kind = rng.random()
    if kind < 0.1:
        return _one_of(words["whole_sentences"], rng)
    if kind < 0.45:
        return " ".join(_one_of(_dictionary(), rng) for _ in range(rng.integers(4, 9))) + "."
    sentence = f"{_one_of(words['openings'], rng)} {_thing(rng)} {_one_of(words['verbs'], rng)} {_thing(rng)}"
    if rng.random() < 0.6:
        sentence += f" {_one_of(words['places'], rng)} {_thing(rng)}"
    return sentence.strip() + _one_of((".", ".", ".", "?", "!"), rng)


def mandarin_sentence(rng: np.random.Generator) -> str:
    """Return a sentence of about 5 to 20 characters."""
    words = vocabulary("mandarin")
    kind = rng.random()
    if kind < 0.12:
        return _one_of(words["whole_sentences"], rng)
    if kind < 0.35:
        return "".join(_one_of(words["characters"], rng) for _ in range(rng.integers(5, 12))) + "。"
    parts = [_one_of(words[part], rng) for part in ("people", "verbs", "things")]
    for part, position in (("manners", 1), ("places", 1), ("times", 0)):
        if rng.random() < 0.45:
            parts.insert(position, _one_of(words[part], rng))
    return "".join(parts) + _one_of(("。", "。", "?", "!"), rng)


def rows_of_words(language: str) -> Sentences:
    """Return what says 4 to 8 words of "french", "german", "italian" or "spanish" in a row."""

    def row(rng: np.random.Generator) -> str:
        return " ".join(_one_of(vocabulary(language)["words"], rng) for _ in range(rng.integers(4, 9))) + "."

    return row


@functools.cache
def vocabulary(language: str) -> Vocabulary:
    """Return the words of a language by their part in a sentence."""
    words: Vocabulary = json.loads((_FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return words


def _thing(rng: np.random.Generator) -> str:
    words = vocabulary("english")
    parts = [_one_of(words["owners"], rng), _one_of(words["nouns"], rng)]
    if rng.random() < 0.5:
        parts.insert(1, _one_of(words["adjectives"], rng))
    return " ".join(parts)


def _one_of(choices: Sequence[str], rng: np.random.Generator) -> str:
    return choices[int(rng.integers(len(choices)))]


@functools.cache
def _dictionary() -> tuple[str, ...]:
    path = Path(pocketsphinx.get_model_path("en-us")) / "cmudict-en-us.dict"
    words = (line.split(" ", 1)[0] for line in path.read_text(encoding="utf-8").splitlines())
    return tuple(word for word in words if word.isalpha() and 3 <= len(word) <= 9)
