"""Text in, SVOX Pico's speech with phone times found by alignment out (English; Pico tells no times)."""

import numpy as np
import ttspico

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.labelled_speech import LabelledSpeech, waveform_from_pcm
from services.lipsync.training.visemes import PhoneSet, viseme_segments

LANGUAGES = ("en-US", "en-GB")
_RATE_HZ = 16_000


class PicoSpeaker:
    """One of Pico's English voices."""

    def __init__(self, language: str, aligner: PhoneAligner) -> None:
        self._language = language
        self._engine = ttspico.TtsEngine(language)
        self._aligner = aligner

    def labelled_speech(self, text: str, rng: np.random.Generator) -> LabelledSpeech:
        """Return the text at a random pace and pitch. Raises UnlabelledText."""
        self._engine.rate = int(rng.integers(80, 125))
        self._engine.pitch = int(rng.integers(80, 130))
        waveform = waveform_from_pcm(np.frombuffer(self._engine.speak(text), np.int16), _RATE_HZ)
        segments = viseme_segments(self._aligner.phones(waveform, text), PhoneSet.CMU)
        return LabelledSpeech(f"pico-{self._language}", text, waveform, segments)
