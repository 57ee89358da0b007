"""An engine's recording goes in, speech as every client hears it comes out: 24 kHz, even, edges clean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soxr
from numpy.typing import NDArray

from services.tts.loudness import levelled
from services.tts.providers import Recording, Timing

SAMPLE_RATE_HZ = 24_000
_FADE_SECONDS = 0.005
# Silence kept at each edge; breath and the onset of a soft consonant lie in it.
_EDGE_SECONDS = 0.015
_WINDOW_SECONDS = 0.005
# Quieter than this against the loudest moment is silence.
_SILENCE_DB = -45.0
# The loudest moment of an engine that found nothing to say: it hisses at most.
_NOTHING = 0.003


@dataclass(frozen=True, slots=True)
class Speech:
    """`pcm`: mono 16-bit little-endian at 24 kHz; times count from its first sample."""

    pcm: bytes
    words: Sequence[Timing]

    @property
    def duration_seconds(self) -> float:
        """The sound's length."""
        return len(self.pcm) / 2 / SAMPLE_RATE_HZ


def mastered(recording: Recording) -> Speech | None:
    """The recording made ready; None where it holds no sound."""
    waveform = recording.waveform
    if recording.sample_rate_hz != SAMPLE_RATE_HZ:
        waveform = soxr.resample(waveform, recording.sample_rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    sound = _sounding(waveform)
    if sound is None:
        return None
    # Levelled without its edges, since how much silence an engine leaves says nothing about loudness.
    waveform = _faded(levelled(waveform[sound].astype(np.float32), SAMPLE_RATE_HZ))
    start, end = sound.start / SAMPLE_RATE_HZ, sound.stop / SAMPLE_RATE_HZ
    return Speech(
        pcm=np.round(waveform * 32_767).astype("<i2").tobytes(),
        words=_within(recording.words, start, end),
    )


def _sounding(waveform: NDArray[np.float32]) -> slice | None:
    window = round(_WINDOW_SECONDS * SAMPLE_RATE_HZ)
    padded = np.pad(waveform, (0, -waveform.size % window)).reshape(-1, window)
    level = np.sqrt((padded.astype(np.float64) ** 2).mean(axis=1))
    loudest = level.max(initial=0.0)
    if loudest < _NOTHING:
        return None
    loud = np.flatnonzero(level > loudest * 10 ** (_SILENCE_DB / 20))
    edge = round(_EDGE_SECONDS * SAMPLE_RATE_HZ)
    first, last = int(loud[0]), int(loud[-1])
    return slice(max(0, first * window - edge), min(waveform.size, (last + 1) * window + edge))


def _faded(waveform: NDArray[np.float32]) -> NDArray[np.float32]:
    length = min(round(_FADE_SECONDS * SAMPLE_RATE_HZ), waveform.size // 2)
    # The first and the last sample are zero, so that nothing clicks where utterances are joined.
    ramp = np.sin(np.linspace(0, np.pi / 2, length, dtype=np.float32)) ** 2
    faded = waveform.copy()
    faded[:length] *= ramp
    faded[waveform.size - length :] *= ramp[::-1]
    return faded


def _within(timings: Sequence[Timing], start: float, end: float) -> list[Timing]:
    """The timings as counted from `start`; nothing begins before the sound or outlasts it."""
    length = end - start

    def moved(seconds: float) -> float:
        return min(max(seconds - start, 0.0), length)

    return [Timing(timing.text, moved(timing.start_seconds), moved(timing.end_seconds)) for timing in timings]
