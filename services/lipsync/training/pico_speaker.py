"""Text in, SVOX Pico's speech with phone times found by alignment out (Pico tells no times)."""

import numpy as np
import ttspico

from services.lipsync.training.labelled_speech import LabelledSpeech, Labels, waveform_from_pcm

_RATE_HZ = 16_000


class PicoSpeaker:
    """One of Pico's voices, all of them women's, or the man's that the tts stage makes of one of them."""

    def __init__(
        self, name: str, language: str, labels: Labels, slowness: float = 1.0, pitch: float = 1.0
    ) -> None:
        """`labels` finds the visemes; `slowness` is that of the playback, for which the speech makes up."""
        self._name = name
        self._engine = ttspico.TtsEngine(language)
        self._labels = labels
        self._slowness = slowness
        self._pitch = pitch

    def labelled_speech(self, text: str, rng: np.random.Generator) -> LabelledSpeech:
        """Return the text at a random pace and pitch. Raises UnlabelledText."""
        self._engine.rate = int(rng.integers(80, 125) / self._slowness)
        self._engine.pitch = int(rng.integers(80, 130) * self._pitch)
        pcm = np.frombuffer(self._engine.speak(text), np.int16)
        waveform = waveform_from_pcm(pcm, round(_RATE_HZ * self._slowness))
        return LabelledSpeech(self._name, text, waveform, self._labels(waveform, text))
