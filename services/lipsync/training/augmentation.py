"""Labelled speech in, the same speech as another speaker, room or line would carry it out.

Only pace moves the labels; everything else leaves them where they are.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.backgrounds import noise
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.visemes import Segment

# Vocal tracts from about 18 % shorter to 22 % longer than the speaker's, as a scale of the mel filters.
VOCAL_TRACTS = (0.82, 0.87, 0.91, 0.95, 1.0, 1.05, 1.1, 1.16, 1.22)


def varied_speech(speech: LabelledSpeech, rng: np.random.Generator) -> LabelledSpeech:
    """Return speech at another pace, pitch and level, coloured, in a room, with silence and noise."""
    if rng.random() < 0.6:
        speech = at_pace(speech, rng.uniform(0.84, 1.2))
    if rng.random() < 0.4:
        speech = between_silences(speech, rng.uniform(0.0, 0.5), rng.uniform(0.0, 0.8))
    waveform = _coloured(speech.waveform, rng)
    if rng.random() < 0.4:
        waveform = _in_a_room(waveform, rng)
    loudest = float(np.abs(waveform).max(initial=1e-6))
    waveform = waveform * (_amplitude(rng.uniform(-20.0, -0.5)) / loudest)
    if rng.random() < 0.7:
        level = float(waveform.std()) * _amplitude(-rng.uniform(12.0, 45.0))
        waveform = waveform + level * noise(waveform.size, rng)
    return replace(speech, waveform=waveform.astype(np.float32))


def silent_speech(seconds: float, rng: np.random.Generator) -> LabelledSpeech:
    """Return a pause: digital silence or faint noise, during which the mouth rests."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    level = 0.0 if rng.random() < 0.3 else _amplitude(rng.uniform(-75.0, -38.0))
    return LabelledSpeech("silence", "", (level * noise(samples, rng)).astype(np.float32), ())


def at_pace(speech: LabelledSpeech, pace: float) -> LabelledSpeech:
    """Return speech played `pace` times as fast, which also raises its pitch by as much."""
    samples = int(speech.waveform.size / pace)
    waveform = np.interp(np.arange(samples) * pace, np.arange(speech.waveform.size), speech.waveform)
    segments = tuple(
        Segment(segment.viseme, segment.start_seconds / pace, segment.end_seconds / pace)
        for segment in speech.segments
    )
    return replace(speech, waveform=waveform.astype(np.float32), segments=segments)


def between_silences(speech: LabelledSpeech, before_seconds: float, after_seconds: float) -> LabelledSpeech:
    """Return speech with digital silence around it."""
    before = round(before_seconds * SAMPLE_RATE_HZ)
    shift = before / SAMPLE_RATE_HZ
    segments = tuple(
        Segment(segment.viseme, segment.start_seconds + shift, segment.end_seconds + shift)
        for segment in speech.segments
    )
    waveform = np.pad(speech.waveform, (before, round(after_seconds * SAMPLE_RATE_HZ)))
    return replace(speech, waveform=waveform, segments=segments)


def _coloured(waveform: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float64]:
    """Tilt and bend the spectrum; sometimes cut its top (a telephone) or its bottom (a small loudspeaker)."""
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


def _in_a_room(waveform: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Add the decaying echo of a small room: 30 to 250 ms."""
    length = int(SAMPLE_RATE_HZ * rng.uniform(0.03, 0.25))
    echo = rng.standard_normal(length) * np.exp(-np.arange(length) / (length / 5)) * rng.uniform(0.02, 0.12)
    echo[0] = 1.0
    padded = waveform.size + length
    return np.asarray(
        np.fft.irfft(np.fft.rfft(waveform, padded) * np.fft.rfft(echo, padded), padded)[: waveform.size]
    )


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
