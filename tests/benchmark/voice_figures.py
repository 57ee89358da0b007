"""A sentence as a voice said it goes in, what can be heard by measuring comes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.tts.loudness import loudness_lufs
from services.tts.mastering import SAMPLE_RATE_HZ
from services.tts.providers import Timing
from tests.benchmark.word_alignment import WordAligner

# Of the peak: -54 dB.
_AUDIBLE = 0.002
# Of the loudest moment: what is quieter is a pause, not a soft consonant.
_PAUSE_DB = -40.0
_WINDOW_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class Spoken:
    """One sentence: as it is written, as the engines were given it, as it sounds (24 kHz)."""

    written: str
    given: str
    waveform: NDArray[np.float32]
    words: Sequence[Timing]
    cpu_seconds: float

    @property
    def seconds(self) -> float:
        """The speech's length."""
        return self.waveform.size / SAMPLE_RATE_HZ

    @property
    def lufs(self) -> float:
        """Loudness by BS.1770."""
        return loudness_lufs(self.waveform, SAMPLE_RATE_HZ)

    @property
    def peak_dbfs(self) -> float:
        """The largest sample."""
        return float(20 * np.log10(np.abs(self.waveform).max()))

    @property
    def ms_per_character(self) -> float:
        """Spaces aside."""
        return self.seconds / len(re.findall(r"\S", self.written)) * 1000

    @property
    def edge_ms(self) -> float:
        """The longer silence of both ends."""
        audible = np.flatnonzero(np.abs(self.waveform) > _AUDIBLE * np.abs(self.waveform).max())
        return float(max(audible[0], self.waveform.size - 1 - audible[-1])) / SAMPLE_RATE_HZ * 1000

    @property
    def pause_ms(self) -> float:
        """The longest silence between the ends."""
        window = round(_WINDOW_SECONDS * SAMPLE_RATE_HZ)
        usable = self.waveform[: self.waveform.size - self.waveform.size % window].reshape(-1, window)
        level = np.sqrt((usable.astype(np.float64) ** 2).mean(axis=1))
        loud = np.flatnonzero(level > level.max() * 10 ** (_PAUSE_DB / 20))
        return float(np.diff(loud).max(initial=1) - 1) * _WINDOW_SECONDS * 1000

    def word_errors_ms(self, aligner: WordAligner) -> list[float]:
        """How far each word's start is from where PocketSphinx hears it; empty where it cannot align."""
        starts = aligner.starts_seconds(self.written, self.waveform, SAMPLE_RATE_HZ)
        ours = [word.start_seconds for word in self.words]
        if len(starts) != len(ours):
            return []
        return [abs(a - b) * 1000 for a, b in zip(starts, ours, strict=True)]
