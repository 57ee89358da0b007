"""Which voice speaks: the named one, the language's own, or nobody."""

from __future__ import annotations

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.tts.voices import Voice, voice_for

VOICES = (
    Voice("ann", "Ann", ("en-GB",), "female"),
    Voice("bob", "Bob", ("en-US",), "male", default=True),
    Voice("cai", "Cai", ("cmn-CN",), "neutral", default=True),
)


@pytest.mark.parametrize(
    ("language", "voice"),
    [
        ("en", "bob"),
        ("EN-us", "bob"),
        ("en-GB", "ann"),
        ("en_IN", "bob"),
        ("zh", "cai"),
        ("zh-TW", "cai"),
        ("cmn", "cai"),
        ("", "bob"),
    ],
)
def test_a_language_finds_its_voice(language: str, voice: str) -> None:
    assert voice_for(VOICES, language, "").name == voice


def test_a_named_voice_wins_over_the_default() -> None:
    assert voice_for(VOICES, "en-US", "ann").name == "ann"
    assert voice_for(VOICES, "", "cai").name == "cai"


@pytest.mark.parametrize(
    ("language", "name", "failure"),
    [
        ("en", "dan", FailureType.UNKNOWN_VOICE),
        ("zh", "ann", FailureType.INVALID_REQUEST),
        ("fr", "", FailureType.UNSUPPORTED_LANGUAGE),
        ("yue", "", FailureType.UNSUPPORTED_LANGUAGE),
    ],
)
def test_a_wrong_choice_is_named(language: str, name: str, failure: FailureType) -> None:
    with pytest.raises(Failure) as caught:
        voice_for(VOICES, language, name)
    assert caught.value.type is failure


def test_an_unsupported_language_is_answered_with_the_supported_ones() -> None:
    with pytest.raises(Failure, match="en, zh"):
        voice_for(VOICES, "fr", "")
