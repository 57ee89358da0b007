"""Speech and its words in, the time of each phone out, found by PocketSphinx's bundled model of English."""

import re
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from pocketsphinx import Alignment, AlignmentEntry, Decoder

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.labelled_speech import UnlabelledText
from services.lipsync.training.visemes import Phone

PAUSE = "pau"

_FRAMES_PER_SECOND = 100
_PEAK = 0.6 * 32_767
# The decoder wants to hear silence at both ends; many engines begin with the first phone.
_SILENCE_SECONDS = 0.25
# Its model of silence is that of a room: digital silence around a sentence often leaves it at a loss.
_ROOM_AMPLITUDES = (1e-3, 1e-4, 0.0)


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
        return [phone for word in self._aligned(waveform, words) for phone in word]

    def learn(self, name: str, cmu_phones: Sequence[str]) -> None:
        """Add a word that is no English to the dictionary, by the English phones that sound most like it."""
        if self._decoder.lookup_word(name) is None:
            self._decoder.add_word(name, " ".join(cmu_phones).upper(), update=True)

    def phones_of_words(self, waveform: NDArray[np.float32], names: Sequence[str]) -> list[list[Phone]]:
        """Return the phones of each learned word, one list for each name; pauses are left out.

        Raises UnlabelledText if the speech does not fit the words.
        """
        words = self._aligned(waveform, names)
        spoken = [word for word in words if any(phone.name != PAUSE for phone in word)]
        if len(spoken) != len(names):
            raise UnlabelledText("the speech does not fit the text")
        return spoken

    def _aligned(self, waveform: NDArray[np.float32], words: Sequence[str]) -> list[list[Phone]]:
        alignment = next(filter(None, (self._alignment(pcm, words) for pcm in _in_rooms(waveform))), None)
        if alignment is None:
            raise UnlabelledText("the speech does not fit the text")
        end_seconds = waveform.size / SAMPLE_RATE_HZ
        timed = [[_phone(phone, end_seconds) for phone in word] for word in alignment]
        return [[phone for phone in word if phone.end_seconds > phone.start_seconds] for word in timed]

    def _alignment(self, pcm: bytes, words: Sequence[str]) -> Alignment | None:
        try:
            self._decoder.set_align_text(" ".join(words))
            self._hear(pcm)
            if self._decoder.hyp() is None:
                return None
            self._decoder.set_alignment()
            self._hear(pcm)
            return self._decoder.get_alignment()
        except RuntimeError:
            return None

    def _hear(self, pcm: bytes) -> None:
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, full_utt=True)
        self._decoder.end_utt()


def _in_rooms(waveform: NDArray[np.float32]) -> Iterator[bytes]:
    """Yield the speech as 16-bit PCM between silences, in a quiet room and in others."""
    loudest = float(np.abs(waveform).max(initial=1e-6))
    padded = np.pad(waveform / loudest, round(_SILENCE_SECONDS * SAMPLE_RATE_HZ))
    for amplitude in _ROOM_AMPLITUDES:
        room = amplitude * np.random.default_rng(0).standard_normal(padded.size)
        yield (_PEAK * (padded + room)).astype(np.int16).tobytes()


def _phone(aligned: AlignmentEntry, end_seconds: float) -> Phone:
    start = aligned.start / _FRAMES_PER_SECOND - _SILENCE_SECONDS
    end = start + aligned.duration / _FRAMES_PER_SECOND
    return Phone(_cmu_name(aligned.name), max(0.0, start), min(end, end_seconds))


def _cmu_name(name: str) -> str:
    """Lower-case a phone; silence and the fillers "+BREATH+", "+NOISE+" … are pauses."""
    return PAUSE if name == "SIL" or name.startswith("+") else name.lower()
