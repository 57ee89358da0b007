"""An utterance goes in, a recording with the times of its words comes out, from whichever provider is set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.tts.voices import Voice


@dataclass(frozen=True, slots=True)
class Utterance:
    """What is to be said. `speaking_rate` 1 and `pitch_semitones` 0 are the voice's own."""

    text: str
    voice: Voice
    speaking_rate: float = 1.0
    pitch_semitones: float = 0.0


@dataclass(frozen=True, slots=True)
class Timing:
    """A word as it is written; seconds from the recording's first sample."""

    text: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True, slots=True)
class Recording:
    """What an engine gave: mono samples in -1…1 at its own rate; `words` is empty where nobody knows."""

    waveform: NDArray[np.float32]
    sample_rate_hz: int
    words: Sequence[Timing] = ()


class SpeechProvider(Protocol):
    """Somebody who speaks. All methods may raise `Failure`; cancelling `recording` stops its work."""

    name: str
    # True when the work stays on the operator's own machines.
    embedded: bool

    async def prepare(self) -> None:
        """Loads and warms what `recording` needs."""

    async def voices(self) -> Sequence[Voice]:
        """All voices, the default of each language among them."""

    async def recording(self, utterance: Utterance) -> Recording:
        """The utterance as its voice says it."""

    async def close(self) -> None:
        """Frees everything."""
