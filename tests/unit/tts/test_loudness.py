"""Loudness as BS.1770 defines it, and the levelling that rests on it."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tts.loudness import PEAK, TARGET_LUFS, levelled, loudness_lufs

RATE_HZ = 24_000


def tone(seconds: float, amplitude: float, hertz: float = 997) -> NDArray[np.float32]:
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    return (amplitude * np.sin(2 * np.pi * hertz * time)).astype(np.float32)


def test_the_standard_s_tone_measures_what_the_standard_says() -> None:
    # BS.1770-5: a 997 Hz sine at full scale in one channel is -3.01 LKFS.
    assert loudness_lufs(tone(3, 1.0), RATE_HZ) == pytest.approx(-3.01, abs=0.02)


def test_low_tones_weigh_less_and_high_tones_more() -> None:
    middle = loudness_lufs(tone(2, 0.1), RATE_HZ)
    assert loudness_lufs(tone(2, 0.1, 40), RATE_HZ) < middle - 3
    assert loudness_lufs(tone(2, 0.1, 5_000), RATE_HZ) > middle + 2


def test_pauses_do_not_count() -> None:
    speech = tone(3, 0.2)
    paused = np.concatenate([speech, np.zeros(3 * RATE_HZ, np.float32)])
    assert loudness_lufs(paused, RATE_HZ) == pytest.approx(loudness_lufs(speech, RATE_HZ), abs=0.5)


def test_silence_has_no_loudness_and_stays_silence() -> None:
    silence = np.zeros(RATE_HZ, np.float32)
    assert loudness_lufs(silence, RATE_HZ) == -np.inf
    assert not levelled(silence, RATE_HZ).any()
    assert loudness_lufs(np.zeros(0, np.float32), RATE_HZ) == -np.inf


@pytest.mark.parametrize("amplitude", [0.003, 0.1, 1.0])
@pytest.mark.parametrize("seconds", [0.05, 0.4, 5])
def test_everything_ends_at_the_same_loudness(amplitude: float, seconds: float) -> None:
    even = levelled(tone(seconds, amplitude), RATE_HZ)
    assert loudness_lufs(even, RATE_HZ) == pytest.approx(TARGET_LUFS, abs=0.1)


def test_rare_loud_moments_are_turned_down_rather_than_cut_off() -> None:
    quiet = tone(4, 0.08)
    quiet[RATE_HZ : RATE_HZ + 240] += tone(0.01, 0.9, 400)
    even = levelled(quiet, RATE_HZ)
    assert np.abs(even).max() <= PEAK
    assert loudness_lufs(even, RATE_HZ) == pytest.approx(TARGET_LUFS, abs=1)
    # A wave that is cut off rests at the ceiling; one that is turned down only touches it.
    assert (np.abs(even) > 0.999 * PEAK).sum() < 24
    steps = np.abs(np.diff(even))
    assert steps.max() < 0.4
