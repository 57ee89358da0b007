"""A number of samples in, a sound that is no speech out: noise, music or breath; a mouth rests in it."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ

Sound = NDArray[np.float64]

_HARMONICS = 6
_ATTACK_SECONDS = 0.005
_DRUM_SECONDS = 0.03
_NOTE_LENGTHS = (0.5, 1.0, 1.0, 2.0)
_MUSIC_SHARE = 0.25


def background(samples: int, rng: np.random.Generator) -> Sound:
    """Return noise or, less often, music, of unit power."""
    return music(samples, rng) if rng.random() < _MUSIC_SHARE else noise(samples, rng)


def noise(samples: int, rng: np.random.Generator) -> Sound:
    """Return white or brown noise of unit power, chosen by chance."""
    white = rng.standard_normal(samples)
    if rng.random() < 0.5:
        return white
    brown = np.cumsum(white)
    brown -= np.linspace(brown[0], brown[-1], samples)
    return _of_unit_power(brown)


def music(samples: int, rng: np.random.Generator) -> Sound:
    """Return one to three tunes of notes with harmonics, half of the time with a drum, of unit power."""
    mixed = np.zeros(samples)
    beat_seconds = rng.uniform(0.15, 0.7)
    for _ in range(rng.integers(1, 4)):
        mixed += _tune(samples, rng.uniform(70.0, 600.0), beat_seconds, rng)
    if rng.random() < 0.5:
        since_beat = np.arange(samples) % round(beat_seconds * SAMPLE_RATE_HZ)
        blow = np.exp(-since_beat / (SAMPLE_RATE_HZ * _DRUM_SECONDS))
        mixed += rng.uniform(0.2, 1.0) * rng.standard_normal(samples) * blow
    return _of_unit_power(mixed)


def breath(samples: int, rng: np.random.Generator) -> Sound:
    """Return one breath, swelling and ebbing: noise through four wide resonances, with a peak of 1."""
    hz = np.fft.rfftfreq(samples, 1 / SAMPLE_RATE_HZ)
    throat = np.full(hz.size, 0.03)
    for centre_hz in rng.uniform(300.0, 6_000.0, 4):
        throat += rng.uniform(0.3, 1.0) * np.exp(-(((hz - centre_hz) / rng.uniform(150.0, 900.0)) ** 2))
    air = np.fft.irfft(np.fft.rfft(rng.standard_normal(samples)) * throat, samples)
    air *= np.sin(np.pi * np.arange(samples) / samples) ** 2
    return np.asarray(air / (np.abs(air).max() + 1e-9))


def _tune(samples: int, key_hz: float, beat_seconds: float, rng: np.random.Generator) -> Sound:
    tune = np.zeros(samples)
    begin = 0
    while begin < samples:
        end = min(samples, begin + round(beat_seconds * rng.choice(_NOTE_LENGTHS) * SAMPLE_RATE_HZ))
        tune[begin:end] = _note(end - begin, key_hz * 2 ** (rng.integers(-7, 8) / 12), rng)
        begin = end
    return tune


def _note(samples: int, hz: float, rng: np.random.Generator) -> Sound:
    seconds = np.arange(samples) / SAMPLE_RATE_HZ
    note = np.zeros(samples)
    for harmonic in range(1, _HARMONICS + 1):
        phase = rng.uniform(0.0, 2 * np.pi)
        loudness = rng.uniform(0.3, 1.0) / harmonic
        note += loudness * np.sin(2 * np.pi * hz * harmonic * seconds + phase)
    struck = np.minimum(1.0, np.minimum(seconds, seconds[::-1]) / _ATTACK_SECONDS)
    return np.asarray(note * struck * np.exp(-seconds * rng.uniform(0.0, 6.0)))


def _of_unit_power(sound: Sound) -> Sound:
    return np.asarray(sound / (sound.std() + 1e-9))
