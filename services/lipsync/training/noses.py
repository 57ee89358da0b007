"""Labelled speech in, the same words out, but m, n and ng murmur as through the nose of somebody else.

What tells an m from an n while it sounds depends on the speaker's nose. In some of the speech each may murmur
like any, so that a network looks at the sounds before and after as well (Kurowski and Blumstein 1984).
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.short_spectra import (
    BINS_HZ,
    HOP,
    WINDOW,
    Sound,
    cepstra,
    envelopes,
    short_spectra,
    sound_of,
)

_COEFFICIENTS = 16
# Lips and tongue still move at the edges of a nasal: those are left as they are.
_EDGE_SECONDS, _FADE_SECONDS = 0.004, 0.008
_LOUDEST_BELOW_HZ = 1_000.0
# No nose is quite like that of anybody in the corpus.
_STRETCH = (0.85, 1.18)
_CAVITIES, _CAVITY_HZ, _CAVITY_WIDTH_HZ, _CAVITY_DECIBELS = 3, (300.0, 5_000.0), (120.0, 600.0), 8.0
_LEVEL_DECIBELS = (-5.0, 3.0)
_NEPERS_PER_DECIBEL = np.log(10.0) / 20.0


class Noses:
    """All murmurs of m, n and ng in a corpus, to be had by any of them."""

    def __init__(self, corpus: Iterable[LabelledSpeech]) -> None:
        """Raises ValueError for a corpus in which no nasal sounds for long enough."""
        murmurs = [
            _above_loudest(envelopes(cepstra(spectra[rows]), _COEFFICIENTS)).mean(axis=0)
            for speech in corpus
            for spectra in [short_spectra(_padded(speech.waveform))]
            for rows, _ in _murmurs(speech, len(spectra))
        ]
        self._murmurs = np.array(murmurs)

    def exchanged(self, speech: LabelledSpeech, rng: np.random.Generator) -> LabelledSpeech:
        """Return speech in which each nasal has the murmur of one drawn from all, through a nose like it."""
        padded = _padded(speech.waveform)
        spectra = short_spectra(padded)
        for rows, share in _murmurs(speech, len(spectra)):
            heard = envelopes(cepstra(spectra[rows]), _COEFFICIENTS)
            loudest = heard - _above_loudest(heard)
            spectra[rows] *= np.exp(share[:, None] * (loudest + self._murmur(rng) - heard))
        waveform = sound_of(spectra, padded.size)[WINDOW : WINDOW + speech.waveform.size]
        return replace(speech, waveform=waveform.astype(np.float32))

    def _murmur(self, rng: np.random.Generator) -> Sound:
        """Return the (257,) logarithmic amplitudes of one murmur; the loudest is about 0."""
        somebody = self._murmurs[rng.integers(len(self._murmurs))]
        murmur = np.interp(BINS_HZ * rng.uniform(*_STRETCH), BINS_HZ, somebody)
        decibels = np.full(BINS_HZ.size, rng.uniform(*_LEVEL_DECIBELS))
        for _ in range(_CAVITIES):
            distance = (BINS_HZ - rng.uniform(*_CAVITY_HZ)) / rng.uniform(*_CAVITY_WIDTH_HZ)
            decibels += rng.uniform(-_CAVITY_DECIBELS, _CAVITY_DECIBELS) * np.exp(-(distance**2))
        return np.asarray(murmur + _NEPERS_PER_DECIBEL * decibels)


def _murmurs(speech: LabelledSpeech, windows: int) -> Iterator[tuple[NDArray[np.int64], Sound]]:
    """Yield the windows in which each nasal murmurs, and how far inside of it they are, 0..1."""
    centres = (np.arange(windows) * HOP - WINDOW / 2) / SAMPLE_RATE_HZ
    for nasal in (segment for segment in speech.segments if segment.nasal):
        depth = np.minimum(centres - nasal.start_seconds, nasal.end_seconds - centres)
        share = np.clip((depth - _EDGE_SECONDS) / _FADE_SECONDS, 0.0, 1.0)
        rows = np.flatnonzero(share)
        if rows.size:
            yield rows, share[rows]


def _above_loudest(envelopes: Sound) -> Sound:
    return np.asarray(envelopes - envelopes[:, BINS_HZ < _LOUDEST_BELOW_HZ].max(axis=1, keepdims=True))


def _padded(waveform: NDArray[np.float32]) -> Sound:
    return np.pad(waveform, WINDOW).astype(np.float64)
