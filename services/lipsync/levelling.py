"""An utterance's spectrogram in, the same speech out as an average voice would give it to any microphone.

A network that hears speech so has less to learn about the voices that it will never hear (cepstral mean
normalisation: Atal 1974). Training and serving both call this file.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from services.lipsync.mel import SILENCE

# Columns as loud as this, in the units of the spectrogram, count: silence says nothing about a voice.
_BELOW_THE_LOUDEST = 1.2
_ABOVE_SILENCE = -3.6
_LOUDEST_SHARE = 0.95


def levelled(
    spectrogram: NDArray[np.float32], average_column: ArrayLike, patience_columns: float
) -> NDArray[np.float32]:
    """Return a (80, T) log-mel spectrogram with its mean loud column moved towards the (80,) average one.

    A word is too short to tell a voice from a vowel: only speech much longer than `patience_columns` is
    moved all of the way, and speech of that length half of it.
    """
    loud = loud_columns(spectrogram)
    if not loud.size:
        return spectrogram
    share = loud.shape[1] / (loud.shape[1] + patience_columns)
    shift = share * (np.asarray(average_column) - loud.mean(axis=1))
    return np.asarray(np.maximum(spectrogram + shift[:, None], SILENCE), np.float32)


def loud_columns(spectrogram: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the (80, N) columns of a (80, T) log-mel spectrogram in which a voice is heard; N may be 0."""
    levels = spectrogram.mean(axis=0)
    threshold = max(float(np.quantile(levels, _LOUDEST_SHARE)) - _BELOW_THE_LOUDEST, _ABOVE_SILENCE)
    return spectrogram[:, levels > threshold]
