"""Spectrograms (N,80,T) of different utterances in, the same out as through other throats and microphones."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import BANDS, SILENCE

Spectrograms = NDArray[np.float32]

_BAND = np.arange(BANDS, dtype=np.float64)
_MIDDLE_BAND = BANDS / 2
# Standard deviations: by how many bands the middle one moves, and of the colour in units of the spectrogram.
_STRETCH_BANDS = 3.0
_COLOUR = 0.3
_BENDS, _BEND_BANDS = 3, (4.0, 20.0)


def through_other_throats(heard: Spectrograms, rng: np.random.Generator) -> Spectrograms:
    """Return each spectrogram with its formants moved, as a throat of another length would, and coloured.

    A network that learned so is better at telling m from n in a voice that it never heard.
    """
    rows = len(heard)
    stretch = rng.normal(0.0, _STRETCH_BANDS, (rows, 1)) / _MIDDLE_BAND
    sources = np.clip(_BAND * (1.0 + stretch), 0.0, BANDS - 1.01)
    below = sources.astype(np.int64)
    share = (sources - below).astype(np.float32)[:, :, None]
    row = np.arange(rows)[:, None]
    stretched = (1.0 - share) * heard[row, below] + share * heard[row, below + 1]
    colour = rng.normal(0.0, _COLOUR, (rows, 1)) * (_BAND / _MIDDLE_BAND - 1.0)
    for _ in range(_BENDS):
        distance = (_BAND - rng.uniform(0.0, BANDS, (rows, 1))) / rng.uniform(*_BEND_BANDS, (rows, 1))
        colour += rng.normal(0.0, _COLOUR, (rows, 1)) * np.exp(-(distance**2))
    return np.maximum(stretched + colour[:, :, None].astype(np.float32), SILENCE)
