"""An engine whose voices are not installed is left out, and the others speak."""

from __future__ import annotations

from services.tts.embedded_provider import EmbeddedProvider, EngineMissing
from services.tts.espeak_engine import EspeakEngine
from services.tts.voices import voice_for


def not_installed() -> EspeakEngine:
    raise EngineMissing("install it")


async def test_english_is_still_spoken_without_the_better_engine() -> None:
    provider = EmbeddedProvider((not_installed, EspeakEngine), concurrency=1)
    try:
        await provider.prepare()
        assert voice_for(await provider.voices(), "en", "").name == "espeak-en"
    finally:
        await provider.close()
