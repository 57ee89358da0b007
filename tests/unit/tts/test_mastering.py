"""What every recording becomes, whichever engine made it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tts.mastering import SAMPLE_RATE_HZ, mastered
from services.tts.providers import Recording, Timing


def tone(seconds: float, rate_hz: int) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (0.3 * np.sin(2 * np.pi * 300 * time)).astype(np.float32)


def quiet(seconds: float, rate_hz: int) -> NDArray[np.float32]:
    return np.zeros(round(seconds * rate_hz), np.float32)


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 24_000, 48_000])
def test_any_rate_becomes_24_khz_and_edges_are_trimmed(rate_hz: int) -> None:
    waveform = np.concatenate([quiet(0.5, rate_hz), tone(1, rate_hz), quiet(0.7, rate_hz)])
    speech = mastered(Recording(waveform, rate_hz))
    assert speech is not None
    assert speech.duration_seconds == pytest.approx(1.03, abs=0.015)
    samples = np.frombuffer(speech.pcm, "<i2")
    assert samples.size == speech.duration_seconds * SAMPLE_RATE_HZ
    assert samples[0] == samples[-1] == 0


def test_times_move_with_the_trimmed_start_and_never_leave_the_speech() -> None:
    waveform = np.concatenate([quiet(0.5, 24_000), tone(1, 24_000), quiet(0.5, 24_000)])
    words = [Timing("early", 0.1, 0.6), Timing("inside", 0.7, 0.9), Timing("late", 1.4, 1.9)]
    speech = mastered(Recording(waveform, 24_000, words))
    assert speech is not None
    early, inside, late = speech.words
    assert early.start_seconds == 0
    assert inside.start_seconds == pytest.approx(0.7 - 0.485, abs=0.006)
    assert late.end_seconds == pytest.approx(speech.duration_seconds)


@pytest.mark.parametrize("level", [0.0, 0.001])
def test_silence_and_hiss_are_nothing(level: float) -> None:
    hiss = np.random.default_rng(1).normal(0, level, 24_000).astype(np.float32)
    assert mastered(Recording(hiss, 24_000)) is None


def test_an_empty_recording_is_nothing() -> None:
    assert mastered(Recording(np.zeros(0, np.float32), 16_000)) is None
