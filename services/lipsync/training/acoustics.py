"""A waveform in, the same waveform out as a microphone, a room or a telephone would give it."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ

Sound = NDArray[np.float64]

_ROOM_SECONDS = (0.03, 0.45)
_LINE_LOW_HZ, _LINE_HIGH_HZ = (50.0, 320.0), (3_000.0, 4_200.0)
# Telephones carry the logarithm of a sample in 8 bits (ITU-T G.711).
_COMPANDING, _COMPANDED_STEPS = 255.0, 127


def coloured(waveform: NDArray[np.floating], rng: np.random.Generator) -> Sound:
    """Tilt and bend the spectrum; sometimes cut its top or its bottom (a small loudspeaker)."""
    spectrum = np.fft.rfft(waveform)
    position = np.linspace(0.0, 1.0, spectrum.size)
    decibels = rng.uniform(-14.0, 10.0) * position
    for _ in range(3):
        bend = (position - rng.random()) / rng.uniform(0.05, 0.25)
        decibels += rng.uniform(-6.0, 6.0) * np.exp(-(bend**2))
    if rng.random() < 0.25:
        decibels -= 40.0 * (position > rng.uniform(0.45, 0.95))
    if rng.random() < 0.2:
        decibels -= 25.0 * (position < rng.uniform(0.01, 0.04))
    return np.asarray(np.fft.irfft(spectrum * 10 ** (decibels / 20), waveform.size))


def in_a_room(waveform: Sound, rng: np.random.Generator) -> Sound:
    """Add the decaying echo of a room: 30 to 450 ms."""
    length = round(SAMPLE_RATE_HZ * rng.uniform(*_ROOM_SECONDS))
    decay = np.exp(-np.arange(length) * rng.uniform(4.0, 7.0) / length)
    echo = rng.standard_normal(length) * decay * rng.uniform(0.02, 0.12)
    echo[0] = 1.0
    padded = waveform.size + length
    return np.asarray(
        np.fft.irfft(np.fft.rfft(waveform, padded) * np.fft.rfft(echo, padded), padded)[: waveform.size]
    )


def over_a_line(waveform: Sound, rng: np.random.Generator) -> Sound:
    """Leave what a telephone carries: about 0.3 to 3.4 kHz, and mostly 8 companded bits of each sample."""
    hz = np.fft.rfftfreq(waveform.size, 1 / SAMPLE_RATE_HZ)
    low_hz, high_hz = rng.uniform(*_LINE_LOW_HZ), rng.uniform(*_LINE_HIGH_HZ)
    carried = 1.0 / (1.0 + (low_hz / (hz + 1.0)) ** 6) / (1.0 + (hz / high_hz) ** 16)
    narrow = np.asarray(np.fft.irfft(np.fft.rfft(waveform) * carried, waveform.size))
    return _companded(narrow) if rng.random() < 0.6 else narrow


def _companded(waveform: Sound) -> Sound:
    peak = np.abs(waveform).max(initial=1e-9)
    logarithm = np.log1p(_COMPANDING * np.abs(waveform) / peak) / np.log1p(_COMPANDING)
    rounded = np.round(logarithm * _COMPANDED_STEPS) / _COMPANDED_STEPS
    return np.asarray(np.sign(waveform) * np.expm1(rounded * np.log1p(_COMPANDING)) / _COMPANDING * peak)
