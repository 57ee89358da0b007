"""English speech and its text in, the time of each phone out, found by PocketSphinx's bundled model."""

import re

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import AlignmentEntry, Decoder

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.labelled_speech import UnlabelledText
from services.lipsync.training.visemes import Phone

_FRAMES_PER_SECOND = 100
_PEAK = 0.6 * 32_767
# The decoder wants to hear silence at both ends; many engines begin with the first phone.
_SILENCE_SECONDS = 0.25


class PhoneAligner:
    """Aligns to 10 ms; median error on Flite's own times: 8 ms. Not to be shared between threads."""

    def __init__(self) -> None:
        self._decoder = Decoder(lm=None, loglevel="FATAL")

    def phones(self, waveform: NDArray[np.float32], text: str) -> list[Phone]:
        """Return the CMU phones of a 16 kHz waveform that says `text`, silences as "pau".

        Raises UnlabelledText if a word is not in the dictionary or the speech does not fit the text.
        """
        words = re.sub(r"[^a-z' ]", " ", text.lower()).split()
        unknown = [word for word in words if self._decoder.lookup_word(word) is None]
        if unknown or not words:
            raise UnlabelledText(f"{len(unknown)} of {len(words)} words are not in the dictionary")
        loudest = float(np.abs(waveform).max(initial=1e-6))
        padded = np.pad(waveform * (_PEAK / loudest), round(_SILENCE_SECONDS * SAMPLE_RATE_HZ))
        pcm = padded.astype(np.int16).tobytes()
        try:
            self._decoder.set_align_text(" ".join(words))
            self._hear(pcm)
            if self._decoder.hyp() is None:
                raise UnlabelledText("the speech does not fit the text")
            self._decoder.set_alignment()
            self._hear(pcm)
            alignment = self._decoder.get_alignment()
        except RuntimeError as error:
            raise UnlabelledText("the aligner gave up") from error
        if alignment is None:
            raise UnlabelledText("the speech does not fit the text")
        end_seconds = waveform.size / SAMPLE_RATE_HZ
        phones = [_phone(phone, end_seconds) for word in alignment for phone in word]
        return [phone for phone in phones if phone.end_seconds > phone.start_seconds]

    def _hear(self, pcm: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()


def _phone(aligned: AlignmentEntry, end_seconds: float) -> Phone:
    start = aligned.start / _FRAMES_PER_SECOND - _SILENCE_SECONDS
    end = start + aligned.duration / _FRAMES_PER_SECOND
    return Phone(_cmu_name(aligned.name), max(0.0, start), min(end, end_seconds))


def _cmu_name(name: str) -> str:
    """Lower-case a phone; silence and the fillers "+BREATH+", "+NOISE+" … are pauses."""
    return "pau" if name == "SIL" or name.startswith("+") else name.lower()
