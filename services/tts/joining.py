"""Recordings of the parts of an utterance go in, one recording without clicks and jumps comes out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from services.tts.mastering import SAMPLE_RATE_HZ, mastered
from services.tts.providers import Recording, Timing
from services.tts.wav import pcm_samples

# As long as between two words that a speaker sets apart.
_PAUSE_SECONDS = 0.08


def joined(recordings: Sequence[Recording]) -> Recording:
    """All of them at one rate and loudness, faded at their edges."""
    pause = np.zeros(round(_PAUSE_SECONDS * SAMPLE_RATE_HZ), np.float32)
    pieces = [np.zeros(0, np.float32)]
    words: list[Timing] = []
    length = 0
    for recording in recordings:
        speech = mastered(recording)
        if speech is None:
            continue
        if length:
            pieces.append(pause)
            length += pause.size
        begin = length / SAMPLE_RATE_HZ
        words += [
            Timing(word.text, begin + word.start_seconds, begin + word.end_seconds) for word in speech.words
        ]
        pieces.append(pcm_samples(speech.pcm))
        length += pieces[-1].size
    return Recording(np.concatenate(pieces), SAMPLE_RATE_HZ, words)
