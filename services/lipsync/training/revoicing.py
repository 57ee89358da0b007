"""A waveform in, the same words at the same times in a voice that nobody has out: another throat and pitch.

A channel vocoder (Dudley 1939): the slow envelope of the spectrum, which lips and tongue make, is kept but
for its place, as a throat of another shape would move it; the fast part, which the vocal folds make, is
replaced by pulses at another pitch with breath between them.
"""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.short_spectra import (
    BINS_HZ,
    WINDOW,
    Sound,
    Spectra,
    cepstra,
    envelopes,
    short_spectra,
    sound_of,
)

# Fewer coefficients of the cepstrum give a smoother envelope.
_FEWEST_COEFFICIENTS, _MOST_COEFFICIENTS = 18, 34
# Formants move apart or together around these; a sharp envelope is a resonant throat, a flat one a dull one.
_KNOTS_HZ = np.array([0.0, 500.0, 1_500.0, 2_800.0, 5_000.0, 8_000.0])
_STRETCH = (0.88, 1.14)
_SHARPNESS = (0.8, 1.2)
_SHAPE_COEFFICIENTS = slice(2, WINDOW - 1)
_PITCH_HZ = (75.0, 320.0)
_MELODY_OCTAVES, _MELODY_SAMPLES = 0.35, 3_000
_VOICED_HZ, _HISSING_ABOVE_HZ = (100.0, 1_200.0), 3_500.0
_BREATH = (0.02, 0.3)


def revoiced(waveform: NDArray[np.float32], rng: np.random.Generator) -> Sound:
    """Return 16 kHz speech of the same length and power in a voice and a melody drawn from `rng`."""
    padded = np.pad(waveform, WINDOW).astype(np.float64)
    heard = short_spectra(padded)
    spoken = sound_of(_other_throat(heard, rng) * _excitation(heard, padded.size, rng), padded.size)
    spoken = spoken[WINDOW : WINDOW + waveform.size]
    return np.asarray(spoken * (float(waveform.std()) / (spoken.std() + 1e-9)))


def _other_throat(heard: Spectra, rng: np.random.Generator) -> Sound:
    cepstrum = cepstra(heard)
    coefficients = int(rng.integers(_FEWEST_COEFFICIENTS, _MOST_COEFFICIENTS))
    cepstrum[:, _SHAPE_COEFFICIENTS] *= rng.uniform(*_SHARPNESS)
    logarithm = envelopes(cepstrum, coefficients)
    stretched = np.diff(_KNOTS_HZ) * rng.uniform(*_STRETCH, _KNOTS_HZ.size - 1)
    sources = np.interp(BINS_HZ, np.concatenate([[0.0], np.cumsum(stretched)]), _KNOTS_HZ) / BINS_HZ[1]
    below = np.minimum(sources.astype(np.int64), logarithm.shape[1] - 2)
    share = sources - below
    return np.asarray(np.exp((1.0 - share) * logarithm[:, below] + share * logarithm[:, below + 1]))


def _excitation(heard: Spectra, samples: int, rng: np.random.Generator) -> Spectra:
    breath = short_spectra(rng.standard_normal(samples))
    voiced = _voiced_share(heard)[:, None]
    return (
        voiced * short_spectra(_pulses(samples, rng))
        + np.maximum(1.0 - voiced, rng.uniform(*_BREATH)) * breath
    )


def _voiced_share(heard: Spectra) -> Sound:
    """Return, per window, about 1 in vowels and 0 in hisses, by where the power lies."""
    power = np.abs(heard) ** 2
    low, high = (round(hz / SAMPLE_RATE_HZ * WINDOW) for hz in _VOICED_HZ)
    hiss = power[:, round(_HISSING_ABOVE_HZ / SAMPLE_RATE_HZ * WINDOW) :].mean(axis=1)
    return np.asarray((1.0 + 2.0 * hiss / (power[:, low:high].mean(axis=1) + 1e-9)) ** -2.0)


def _pulses(samples: int, rng: np.random.Generator) -> Sound:
    """Return a pulse per period of a wandering pitch; the power is that of unit noise."""
    turns = np.arange(0, samples + _MELODY_SAMPLES, _MELODY_SAMPLES)
    octaves = np.interp(np.arange(samples), turns, rng.uniform(-_MELODY_OCTAVES, _MELODY_OCTAVES, turns.size))
    pitch_hz = rng.uniform(*_PITCH_HZ) * 2.0**octaves
    periods = np.floor(np.cumsum(pitch_hz / SAMPLE_RATE_HZ))
    return np.asarray(np.diff(periods, prepend=0.0) * np.sqrt(SAMPLE_RATE_HZ / pitch_hz))
