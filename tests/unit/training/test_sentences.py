"""The corpus's texts: repeatable, varied, and made of words that the aligner knows."""

import re

import numpy as np
import pytest
from pocketsphinx import Decoder

from services.lipsync.training.sentences import (
    english_sentence,
    mandarin_sentence,
    rows_of_words,
    vocabulary,
)


def test_the_same_seed_writes_the_same_sentences() -> None:
    once, again = (np.random.default_rng(5) for _ in range(2))
    assert [english_sentence(once) for _ in range(20)] == [english_sentence(again) for _ in range(20)]


def test_sentences_hardly_ever_repeat() -> None:
    rng = np.random.default_rng(0)
    assert len({english_sentence(rng) for _ in range(200)}) > 180
    assert len({mandarin_sentence(rng) for _ in range(200)}) > 160


def test_the_aligner_knows_every_english_word() -> None:
    decoder = Decoder(lm=None, loglevel="FATAL")
    phrases = [phrase for part in vocabulary("english").values() for phrase in part]
    words = set(re.findall(r"[a-z']+", " ".join(phrases)))
    assert [word for word in words if decoder.lookup_word(word) is None] == []


def test_mandarin_sentences_hold_nothing_but_characters_and_punctuation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        assert re.fullmatch(r"[\u4e00-\u9fff,。?!]+", mandarin_sentence(rng))


@pytest.mark.parametrize("language", ["french", "german", "italian", "spanish"])
def test_rows_of_words_are_repeatable_and_varied(language: str) -> None:
    once, again = (np.random.default_rng(3) for _ in range(2))
    rows = [rows_of_words(language)(once) for _ in range(30)]
    assert rows == [rows_of_words(language)(again) for _ in range(30)]
    assert len(set(rows)) == 30
    assert all(4 <= len(row.split()) <= 8 for row in rows)
