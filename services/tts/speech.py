"""An utterance to speak goes in, its speech comes out as it is sent: what it is, slices of PCM, the times."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from visavis.rpc.failures import Failure, FailureType

from services.tts.mastering import Speech, mastered
from services.tts.providers import Recording, SpeechProvider, Timing, Utterance
from services.tts.voices import Voice, voice_for
from services.tts.word_spread import spread_words

CHUNK_BYTES = 64 * 1024
SLOWEST, FASTEST = 0.5, 2.0
WIDEST_PITCH_SEMITONES = 12.0


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asks for; empty `language` and `voice` leave the choice to the service."""

    text: str
    language: str = ""
    voice: str = ""
    speaking_rate: float = 1.0
    pitch_semitones: float = 0.0


@dataclass(frozen=True, slots=True)
class Started:
    """The first event."""

    voice: Voice


@dataclass(frozen=True, slots=True)
class Chunk:
    """At most CHUNK_BYTES of 24 kHz mono 16-bit little-endian PCM, whole samples."""

    pcm: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event; times are seconds from the first chunk's first sample."""

    duration_seconds: float
    words: Sequence[Timing]


SpeechEvent: TypeAlias = Started | Chunk | Finished


async def spoken(
    provider: SpeechProvider, order: Order, *, max_characters: int
) -> AsyncGenerator[SpeechEvent, None]:
    """One Started, at least one Chunk, one Finished. The same order gives the same bytes.

    Raises:
        Failure: before Started if the order cannot be met; what the provider raises.
    """
    _check(order, max_characters)
    voice = voice_for(await provider.voices(), order.language, order.voice)
    yield Started(voice)
    utterance = Utterance(order.text, voice, order.speaking_rate, order.pitch_semitones)
    recording = await provider.recording(utterance)
    speech = await asyncio.to_thread(_finished_speech, order.text, recording)
    if speech is None:
        raise Failure(
            FailureType.NOTHING_SPEAKABLE,
            f"The voice {voice.name} finds nothing to say in this text. Is it in the voice's language?",
        )
    for start in range(0, len(speech.pcm), CHUNK_BYTES):
        yield Chunk(speech.pcm[start : start + CHUNK_BYTES])
    yield Finished(speech.duration_seconds, speech.words)


def _finished_speech(text: str, recording: Recording) -> Speech | None:
    if not recording.words:
        words = spread_words(text, recording.waveform, recording.sample_rate_hz)
        recording = replace(recording, words=words)
    return mastered(recording)


def _check(order: Order, max_characters: int) -> None:
    if len(order.text) > max_characters:
        raise Failure(
            FailureType.TOO_LONG,
            f"An utterance may have at most {max_characters:,} characters. Split the text into sentences.",
        )
    if not any(unicodedata.category(character)[0] in "LN" for character in order.text):
        raise Failure(FailureType.NOTHING_SPEAKABLE, "The text holds no letter and no digit to speak.")
    if not SLOWEST <= order.speaking_rate <= FASTEST:
        raise Failure(
            FailureType.INVALID_REQUEST, f"speaking_rate must lie between {SLOWEST:g} and {FASTEST:g}."
        )
    if not abs(order.pitch_semitones) <= WIDEST_PITCH_SEMITONES:
        raise Failure(
            FailureType.INVALID_REQUEST,
            f"pitch_semitones must lie between {-WIDEST_PITCH_SEMITONES:g} and {WIDEST_PITCH_SEMITONES:g}.",
        )
