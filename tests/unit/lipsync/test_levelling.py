"""Levelled speech sounds alike through any microphone; a word too short to know the voice is hardly moved."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.levelling import levelled, loud_columns
from services.lipsync.mel import BANDS, SAMPLE_RATE_HZ, SILENCE, mel_spectrogram

AVERAGE = np.linspace(-0.5, -2.0, BANDS)


def babble(seconds: float) -> NDArray[np.float32]:
    """Noise whose loudness and colour change four times a second, as syllables do."""
    rng = np.random.default_rng(0)
    syllables = [
        np.convolve(rng.normal(0, level, SAMPLE_RATE_HZ // 4), [1.0, colour], "same")
        for level, colour in rng.uniform((0.1, -0.8), (0.3, 0.8), (round(4 * seconds), 2))
    ]
    return np.concatenate(syllables).astype(np.float32)


@pytest.mark.parametrize("microphone", [[1.0, 0.6], [1.0, -0.7], [0.3]])
def test_a_microphone_leaves_hardly_a_trace(microphone: list[float]) -> None:
    near = mel_spectrogram(babble(2.0))
    far = mel_spectrogram(np.convolve(babble(2.0), microphone, "same").astype(np.float32))
    apart = np.abs(levelled(near, AVERAGE, 0) - levelled(far, AVERAGE, 0)).mean()
    assert apart < 0.15 * np.abs(near - far).mean()


def test_every_voice_becomes_the_average_one() -> None:
    voice = loud_columns(levelled(mel_spectrogram(babble(2.0)), AVERAGE, 0)).mean(axis=1)
    np.testing.assert_allclose(voice, AVERAGE, atol=0.15)


def test_pauses_do_not_change_what_the_voice_is() -> None:
    speech = babble(2.0)
    alone, among_pauses = (
        loud_columns(mel_spectrogram(waveform)).mean(axis=1)
        for waveform in (speech, np.pad(speech, SAMPLE_RATE_HZ))
    )
    np.testing.assert_allclose(alone, among_pauses, atol=0.1)


def test_a_word_is_moved_less_than_a_speech() -> None:
    word, speech = (mel_spectrogram(babble(seconds)) for seconds in (0.25, 5.0))
    moved_word, moved_speech = (
        np.abs(levelled(heard, AVERAGE, 100) - heard).mean()
        / np.abs(levelled(heard, AVERAGE, 0) - heard).mean()
        for heard in (word, speech)
    )
    assert moved_word < 0.3
    assert moved_speech > 0.7


def test_silence_is_left_as_it_is() -> None:
    silence = np.full((BANDS, 100), SILENCE)
    np.testing.assert_array_equal(levelled(silence, AVERAGE, 100), silence)
