"""A folder of recordings with their texts in, labelled English speech out: voices that training never hears.

Layout: one folder per voice, in it NAME.wav (16-bit, any rate, mono) beside NAME.txt (what is said) and, if
the speaker is an engine that tells when each phone sounds, NAME.segs (Festival's `utt.save.segs`).
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.labelled_speech import LabelledSpeech, UnlabelledText, waveform_from_pcm
from services.lipsync.training.visemes import Phone, PhoneSet, viseme_segments

# Names of Festival's American phone sets that CMU's does not have.
_CMU_OF_FESTIVAL = {
    "h#": "pau", "brth": "pau", "ssil": "pau", "nx": "n", "en": "n", "em": "m", "el": "l", "hv": "hh",
    "dx": "d", "axr": "er", "ix": "ih",
}  # fmt: skip


def recorded_speech(folder: Path) -> Iterator[LabelledSpeech]:
    """Yield every recording whose phones are known or whose text can be aligned; the others are left out.

    Raises FileNotFoundError for a recording without a text, ValueError for phones of an unknown set.
    """
    aligner = PhoneAligner()
    for path in sorted(folder.glob("*/*.wav")):
        text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
        waveform = _waveform(path)
        told = path.with_suffix(".segs")
        try:
            phones = _told_phones(told) if told.exists() else aligner.phones(waveform, text)
        except UnlabelledText:
            continue
        yield LabelledSpeech(path.parent.name, text, waveform, viseme_segments(phones, PhoneSet.CMU))


def _waveform(path: Path) -> NDArray[np.float32]:
    with wave.open(str(path)) as file:
        pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return waveform_from_pcm(pcm, file.getframerate())


def _told_phones(path: Path) -> list[Phone]:
    """Read lines "end_seconds colour phone", which follow a line "#"."""
    phones: list[Phone] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        end, _, name = line.partition(" ")
        if name:
            start_seconds = phones[-1].end_seconds if phones else 0.0
            phone = name.split()[-1]
            phones.append(Phone(_CMU_OF_FESTIVAL.get(phone, phone), start_seconds, float(end)))
    return phones
