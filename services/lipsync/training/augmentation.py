"""Labelled speech in, the same speech as another speaker, room or line would carry it out.

Only pace moves the labels; everything else leaves them where they are.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import numpy as np

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.acoustics import Sound, coloured, in_a_room, over_a_line
from services.lipsync.training.backgrounds import background, breath, music, noise
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.revoicing import revoiced
from services.lipsync.training.visemes import REST

# Vocal tracts from about 18 % shorter to 22 % longer than the speaker's, as a scale of the mel filters.
VOCAL_TRACTS = (0.82, 0.87, 0.91, 0.95, 1.0, 1.05, 1.1, 1.16, 1.22)
_SHORTEST_BREATH_SECONDS = 0.12


def varied_speech(speech: LabelledSpeech, rng: np.random.Generator) -> LabelledSpeech:
    """Return speech at another pace, pitch and level, revoiced or coloured, in a room, over a background."""
    if rng.random() < 0.7:
        speech = at_pace(speech, rng.uniform(0.8, 1.25))
    if rng.random() < 0.4:
        speech = replace(speech, waveform=revoiced(speech.waveform, rng).astype(np.float32))
    if rng.random() < 0.5:
        speech = between_silences(speech, rng.uniform(0.0, 0.6), rng.uniform(0.0, 0.8))
    if rng.random() < 0.4:
        speech = with_breaths(speech, rng)
    waveform = coloured(speech.waveform, rng)
    if rng.random() < 0.35:
        waveform = in_a_room(waveform, rng)
    if rng.random() < 0.12:
        waveform = over_a_line(waveform, rng)
    loudest = float(np.abs(waveform).max(initial=1e-6))
    waveform = waveform * (_amplitude(rng.uniform(-20.0, -0.5)) / loudest)
    if rng.random() < 0.7:
        level = float(waveform.std()) * _amplitude(-rng.uniform(12.0, 45.0))
        waveform = waveform + level * background(waveform.size, rng)
    return replace(speech, waveform=waveform.astype(np.float32))


def silent_speech(seconds: float, rng: np.random.Generator) -> LabelledSpeech:
    """Return a pause, during which the mouth rests: digital silence, faint noise, music or breaths."""
    samples = round(seconds * SAMPLE_RATE_HZ)
    kind = rng.random()
    if kind < 0.1:
        waveform = np.zeros(samples)
    elif kind < 0.25:
        waveform = _amplitude(rng.uniform(-75.0, -35.0)) * noise(samples, rng)
    elif kind < 0.45:
        waveform = _amplitude(rng.uniform(-55.0, -20.0)) * music(samples, rng)
    else:
        waveform = _amplitude(rng.uniform(-45.0, -12.0)) * _breaths(samples, rng)
    return LabelledSpeech("silence", "", waveform.astype(np.float32), ())


def _breaths(samples: int, rng: np.random.Generator) -> Sound:
    """Return one to four breaths, one after the other."""
    edges = np.linspace(0, samples, rng.integers(2, 6)).astype(np.int64)
    return np.concatenate([breath(int(end - begin), rng) for begin, end in pairwise(edges)])


def at_pace(speech: LabelledSpeech, pace: float) -> LabelledSpeech:
    """Return speech played `pace` times as fast, which also raises its pitch by as much."""
    samples = int(speech.waveform.size / pace)
    waveform = np.interp(np.arange(samples) * pace, np.arange(speech.waveform.size), speech.waveform)
    segments = tuple(
        replace(segment, start_seconds=segment.start_seconds / pace, end_seconds=segment.end_seconds / pace)
        for segment in speech.segments
    )
    return replace(speech, waveform=waveform.astype(np.float32), segments=segments)


def between_silences(speech: LabelledSpeech, before_seconds: float, after_seconds: float) -> LabelledSpeech:
    """Return speech with digital silence around it."""
    before = round(before_seconds * SAMPLE_RATE_HZ)
    shift = before / SAMPLE_RATE_HZ
    segments = tuple(
        replace(segment, start_seconds=segment.start_seconds + shift, end_seconds=segment.end_seconds + shift)
        for segment in speech.segments
    )
    waveform = np.pad(speech.waveform, (before, round(after_seconds * SAMPLE_RATE_HZ)))
    return replace(speech, waveform=waveform, segments=segments)


def with_breaths(speech: LabelledSpeech, rng: np.random.Generator) -> LabelledSpeech:
    """Return speech with an audible breath in about half of its pauses that are long enough."""
    waveform = speech.waveform.copy()
    loudest = float(np.abs(waveform).max(initial=0.0))
    for begin, end in _pauses(speech):
        samples = round(rng.uniform(0.3, 0.9) * (end - begin))
        if samples >= _SHORTEST_BREATH_SECONDS * SAMPLE_RATE_HZ and rng.random() < 0.5:
            first = begin + int(rng.integers(0, end - begin - samples + 1))
            level = loudest * _amplitude(rng.uniform(-45.0, -12.0))
            waveform[first : first + samples] += (level * breath(samples, rng)).astype(np.float32)
    return replace(speech, waveform=waveform)


def _pauses(speech: LabelledSpeech) -> Iterator[tuple[int, int]]:
    """Yield the spans, in samples, in which no phone sounds."""
    begin = 0
    for segment in speech.segments:
        if segment.viseme != REST:
            yield begin, round(segment.start_seconds * SAMPLE_RATE_HZ)
            begin = round(segment.end_seconds * SAMPLE_RATE_HZ)
    yield begin, speech.waveform.size


def _amplitude(decibels: float) -> float:
    return float(10 ** (decibels / 20))
