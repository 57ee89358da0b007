"""What every speech engine of the corpus gives: a waveform and when each of its phones sounds."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.visemes import Segment

_PCM_SCALE = 32_768.0


@dataclass(frozen=True)
class LabelledSpeech:
    """One spoken sentence: mono 16 kHz samples in -1..1, and the visemes in the order of time."""

    voice: str
    text: str
    waveform: NDArray[np.float32]
    segments: tuple[Segment, ...]


# A 16 kHz waveform and what it says in, its visemes out. Raises UnlabelledText.
Labels = Callable[[NDArray[np.float32], str], tuple[Segment, ...]]


class UnlabelledText(Exception):
    """An engine or the aligner could not say when the phones of a text sound; choose another text."""


class Speaker(Protocol):
    """A voice that tells the times of its phones."""

    def labelled_speech(self, text: str, rng: np.random.Generator) -> LabelledSpeech:
        """Return the text, spoken in a manner drawn from `rng`. Raises UnlabelledText."""
        ...


def waveform_from_pcm(pcm: NDArray[np.int16], rate_hz: int) -> NDArray[np.float32]:
    """Return 16-bit mono samples as float32 in -1..1, resampled to 16 kHz."""
    waveform = pcm.astype(np.float32) / np.float32(_PCM_SCALE)
    return resampled(waveform, rate_hz)


def resampled(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Return a mono waveform of any rate at 16 kHz."""
    if rate_hz == SAMPLE_RATE_HZ:
        return waveform
    return np.asarray(soxr.resample(waveform, rate_hz, SAMPLE_RATE_HZ), np.float32)
