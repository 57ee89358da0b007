"""A folder of recordings with their texts in, labelled English speech out: voices that training never hears.

Layout: one folder per voice, in it NAME.wav (16-bit, any rate, mono) beside NAME.txt (what is said).
"""

import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.labelled_speech import LabelledSpeech, UnlabelledText, waveform_from_pcm
from services.lipsync.training.visemes import PhoneSet, viseme_segments


def recorded_speech(folder: Path) -> Iterator[LabelledSpeech]:
    """Yield every recording whose text can be aligned, voice by voice; the others are left out.

    Raises FileNotFoundError for a recording without a text.
    """
    aligner = PhoneAligner()
    for path in sorted(folder.glob("*/*.wav")):
        text = path.with_suffix(".txt").read_text(encoding="utf-8").strip()
        with wave.open(str(path)) as file:
            pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
            waveform = waveform_from_pcm(pcm, file.getframerate())
        try:
            segments = viseme_segments(aligner.phones(waveform, text), PhoneSet.CMU)
        except UnlabelledText:
            continue
        yield LabelledSpeech(path.parent.name, text, waveform, segments)
