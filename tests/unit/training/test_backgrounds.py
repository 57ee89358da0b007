"""Sounds that are no speech: repeatable, of the promised strength, and no two alike."""

import numpy as np
import pytest

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.backgrounds import Sound, breath, music, noise

SAMPLES = 2 * SAMPLE_RATE_HZ


def test_noise_and_music_are_of_unit_power() -> None:
    for make in (noise, music):
        for seed in range(5):
            assert make(SAMPLES, np.random.default_rng(seed)).std() == pytest.approx(1.0, abs=0.02)


def test_a_breath_swells_and_ebbs_with_a_peak_of_one() -> None:
    sound = breath(SAMPLES, np.random.default_rng(0))
    thirds: list[Sound] = np.array_split(sound, 3)
    assert np.abs(sound).max() == pytest.approx(1.0, abs=1e-6)
    assert thirds[1].std() > max(thirds[0].std(), thirds[2].std())


def test_a_seed_is_one_sound() -> None:
    for make in (noise, music, breath):
        once, again, other = (make(SAMPLES, np.random.default_rng(seed)) for seed in (1, 1, 2))
        np.testing.assert_array_equal(once, again)
        assert abs(np.corrcoef(once, other)[0, 1]) < 0.5
