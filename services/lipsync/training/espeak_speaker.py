"""Text in, espeak-ng's speech with the phone times of its own events out (English and Mandarin)."""

import ctypes
import functools
from collections.abc import Sequence
from dataclasses import replace

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.labelled_speech import LabelledSpeech, UnlabelledText, waveform_from_pcm
from services.lipsync.training.visemes import Phone, PhoneSet, viseme_segments

ENGLISH_VOICES = ("en-us", "en", "en-gb-scotland", "en-gb-x-rp", "en-029")
MANDARIN_VOICES = ("cmn",)
# Variants change formants, breath and pitch: cheap speakers. The empty one is the voice as it ships.
VARIANTS = (
    "", "", "", "+f1", "+f2", "+f3", "+f4", "+m1", "+m2", "+m3", "+m4", "+m5", "+m7",
    "+m8", "+f5", "+Annie", "+Alex", "+Andy", "+Mike", "+adam", "+anika", "+belinda", "+steph", "+victor",
    "+klatt", "+klatt2", "+klatt3",
)  # fmt: skip

# Values of espeak-ng's speak_lib.h.
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_EVENT_LIST_TERMINATED, _EVENT_PHONEME = 0, 7
_PARAMETER_RATE, _PARAMETER_PITCH = 1, 3
_CHARACTERS_UTF8 = 1
# espeak-ng parts Mandarin words by gaps of 10 to 45 ms in which no mouth would close.
_SHORTEST_PAUSE_SECONDS = 0.06
_ORDINARY_RATE, _ORDINARY_PITCH = 165, 50


class EspeakSpeaker:
    """One of espeak-ng's languages, spoken by its many variants; `name` stands for all of them."""

    def __init__(self, name: str, voices: Sequence[str], variants: Sequence[str] = VARIANTS) -> None:
        self._name = name
        self._voices = voices
        self._variants = variants

    def labelled_speech(self, text: str, rng: np.random.Generator) -> LabelledSpeech:
        """Return the text spoken by a random variant at a random pace. Raises UnlabelledText."""
        voice = str(rng.choice(self._voices)) + str(rng.choice(self._variants))
        rate = int(_ORDINARY_RATE * rng.uniform(0.8, 1.3))
        pitch = int(_ORDINARY_PITCH * rng.uniform(0.5, 1.5))
        waveform, phones = _library().speech(text, voice, rate, pitch)
        return LabelledSpeech(self._name, text, waveform, viseme_segments(phones, PhoneSet.IPA))


def spoken_phones(word: str, voice: str) -> list[str]:
    """Return the IPA names of the phones that make up a word in an espeak-ng voice's language."""
    _, phones = _library().speech(word, voice, _ORDINARY_RATE, _ORDINARY_PITCH)
    return [phone.name for phone in phones]


class _EventId(ctypes.Union):
    _fields_ = (("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8))


class _Event(ctypes.Structure):
    _fields_ = (
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _EventId),
    )


_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event)
)


class _Library:
    """The shared library, which holds one global synthesiser: one thread at a time."""

    def __init__(self) -> None:
        self._native = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        self._rate_hz = int(
            self._native.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data, _PHONEME_EVENTS_IN_IPA)
        )
        if self._rate_hz <= 0:
            raise RuntimeError("espeak-ng did not start: is its data folder complete?")
        self._pcm: list[NDArray[np.int16]] = []
        self._events: list[tuple[float, str]] = []
        self._callback = _Callback(self._collect)  # held here, or it would be freed while in use
        self._native.espeak_SetSynthCallback(self._callback)

    def speech(
        self, text: str, voice: str, words_per_minute: int, pitch: int
    ) -> tuple[NDArray[np.float32], list[Phone]]:
        self._pcm.clear()
        self._events.clear()
        if self._native.espeak_SetVoiceByName(voice.encode()) != 0:
            raise ValueError(f"espeak-ng has no voice {voice!r}")
        self._native.espeak_SetParameter(_PARAMETER_RATE, words_per_minute, 0)
        self._native.espeak_SetParameter(_PARAMETER_PITCH, pitch, 0)
        encoded = text.encode() + b"\0"
        self._native.espeak_Synth(encoded, len(encoded), 0, 0, 0, _CHARACTERS_UTF8, None, None)
        self._native.espeak_Synchronize()
        if not self._pcm or not self._events:
            raise UnlabelledText("espeak-ng spoke nothing")
        pcm = np.concatenate(self._pcm)
        phones = _phones_of_events(self._events, pcm.size / self._rate_hz)
        return waveform_from_pcm(pcm, self._rate_hz), phones

    def _collect(
        self, samples: "ctypes._Pointer[ctypes.c_short]", count: int, events: "ctypes._Pointer[_Event]"
    ) -> int:
        if samples and count > 0:
            self._pcm.append(np.ctypeslib.as_array(samples, (count,)).astype(np.int16))
        position = 0
        while events[position].type != _EVENT_LIST_TERMINATED:
            event = events[position]
            if event.type == _EVENT_PHONEME:
                name = event.id.string.decode("utf-8", "ignore")
                self._events.append((event.sample / self._rate_hz, name))
            position += 1
        return 0


def _phones_of_events(events: list[tuple[float, str]], end_seconds: float) -> list[Phone]:
    """A phone lasts to the next one; a nameless gap shorter than a pause belongs to the phone before it."""
    ends = [start for start, _ in events[1:]] + [end_seconds]
    phones: list[Phone] = []
    for (start, name), end in zip(events, ends, strict=True):
        if phones and not name and end - start < _SHORTEST_PAUSE_SECONDS:
            phones[-1] = replace(phones[-1], end_seconds=end)
        elif end > start:
            phones.append(Phone(name, start, end))
    return phones


@functools.cache
def _library() -> _Library:
    return _Library()
