"""A 16 kHz sound in, the spectra (N,257) of its overlapping 32 ms windows out; such spectra in, sound out."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ

Sound = NDArray[np.float64]
Spectra = NDArray[np.complex128]

WINDOW, HOP = 512, 128
BINS_HZ = np.linspace(0.0, SAMPLE_RATE_HZ / 2, WINDOW // 2 + 1)
# What the squares of overlapping Hann windows add up to.
_OVERLAP = 1.5
_FAINTEST = 1e-5


def short_spectra(sound: Sound) -> Spectra:
    """Return one row for each window that lies wholly inside of the sound, 8 ms apart."""
    windows = np.lib.stride_tricks.sliding_window_view(sound, WINDOW)[::HOP]
    return np.asarray(np.fft.rfft(windows * _hann(), axis=1))


def sound_of(spectra: Spectra, samples: int) -> Sound:
    """Return the sound that has these spectra; its first and last window fade in and out."""
    windows = np.fft.irfft(spectra, axis=1) * (_hann() / _OVERLAP)
    sound = np.zeros(samples)
    windows_apart = WINDOW // HOP
    for first in range(windows_apart):
        row = windows[first::windows_apart].reshape(-1)
        sound[first * HOP : first * HOP + row.size] += row
    return sound


def cepstra(spectra: Spectra) -> Sound:
    """Return the (N, 512) real cepstrum of each window; its first coefficients are the throat's shape."""
    return np.asarray(np.fft.irfft(np.log(np.abs(spectra) + _FAINTEST), axis=1))


def envelopes(cepstra: Sound, coefficients: int) -> Sound:
    """Return the (N, 257) logarithmic amplitudes that the first coefficients of (N, 512) cepstra draw."""
    smooth = cepstra.copy()
    smooth[:, coefficients : WINDOW - coefficients + 1] = 0.0
    return np.asarray(np.fft.rfft(smooth, axis=1).real)


def _hann() -> Sound:
    return np.hanning(WINDOW + 1)[:WINDOW]
