"""Text in, espeak-ng's speech (22.05 kHz) with the times of words out: English and Mandarin."""

from __future__ import annotations

import _ctypes
import ctypes
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import espeakng_loader
import numpy as np
from numpy.typing import NDArray
from visavis.rpc.failures import Failure, FailureType

from services.tts.embedded_provider import Stopped
from services.tts.providers import Recording, Timing, Utterance
from services.tts.voices import Voice

# espeak-ng's speak_lib.h
_SYNCHRONOUS = 2
_PHONEME_EVENTS_IN_IPA = 0x0003
_LIST_TERMINATED, _WORD, _PHONEME = 0, 1, 7
_RATE, _PITCH = 1, 3
_UTF8 = 1
_BUFFER_MS = 200
_OWN_WORDS_PER_MINUTE = 175
# What the steps of its pitch parameter do, as measured on both voices.
_SEMITONES = (-4.2, -3.3, -2.0, 0.0, 1.5, 3.9, 6.3, 8.5)
_PITCH_STEPS = (12, 25, 37, 50, 62, 75, 87, 99)
_NATIVE_NAMES = {"espeak-en": "en-us", "espeak-zh": "cmn"}


class EspeakEngine:
    """Clear and quick, plainly a machine. One utterance at a time: the library is one global synthesiser."""

    voices: Sequence[Voice] = (
        Voice("espeak-en", "Robot", ("en-US", "en-GB"), "male"),
        Voice("espeak-zh", "小易", ("cmn-CN", "zh-CN", "zh"), "male", default=True),
    )

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._path = espeakng_loader.get_library_path()
        self._data = espeakng_loader.get_data_path().encode()

    def recording(self, utterance: Utterance, stop: threading.Event) -> Recording:
        """The utterance spoken. Raises Stopped soon after `stop` is set, Failure for a pitch out of reach."""
        pitch = _pitch_steps(utterance.pitch_semitones)
        run = _Run(stop)
        with self._turn, self._fresh_library(run) as (library, rate_hz):
            library.espeak_SetVoiceByName(_NATIVE_NAMES[utterance.voice.name].encode())
            library.espeak_SetParameter(_RATE, round(_OWN_WORDS_PER_MINUTE * utterance.speaking_rate), 0)
            library.espeak_SetParameter(_PITCH, pitch, 0)
            text = utterance.text.replace("\0", " ").encode() + b"\0"
            library.espeak_Synth(text, len(text), 0, 0, 0, _UTF8, None, None)
        if stop.is_set():
            raise Stopped
        pcm = np.concatenate([np.zeros(0, np.int16), *run.pcm])
        seconds = pcm.size / rate_hz
        return Recording(
            waveform=pcm.astype(np.float32) / np.float32(32_768),
            sample_rate_hz=rate_hz,
            words=_words(utterance.text, run, rate_hz, seconds),
        )

    @contextmanager
    def _fresh_library(self, run: _Run) -> Iterator[tuple[ctypes.CDLL, int]]:
        """The library and its sample rate. Loaded anew (1 ms), else its flutter would go on."""
        library = ctypes.CDLL(self._path)
        try:
            rate_hz = int(
                library.espeak_Initialize(_SYNCHRONOUS, _BUFFER_MS, self._data, _PHONEME_EVENTS_IN_IPA)
            )
            if rate_hz <= 0:
                raise RuntimeError("espeak-ng did not start: its data is missing")
            # Held in a name, or it would be freed while the library still calls it.
            callback = _Callback(run.hear)
            library.espeak_SetSynthCallback(callback)
            yield library, rate_hz
            library.espeak_Terminate()
        finally:
            _ctypes.dlclose(library._handle)


def _pitch_steps(semitones: float) -> int:
    if not _SEMITONES[0] <= semitones <= _SEMITONES[-1]:
        raise Failure(
            FailureType.UNSUPPORTED_SETTING,
            f"This voice's pitch_semitones must lie between {_SEMITONES[0]:g} and {_SEMITONES[-1]:g}.",
        )
    return round(np.interp(semitones, _SEMITONES, _PITCH_STEPS))


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


@dataclass(slots=True)
class _Run:
    """What the library says while it speaks one utterance; samples count from the utterance's first."""

    stop: threading.Event
    pcm: list[NDArray[np.int16]] = field(default_factory=list)
    # (first character, first sample)
    words: list[tuple[int, int]] = field(default_factory=list)
    # (name, first sample)
    pauses: list[int] = field(default_factory=list)

    def hear(
        self, samples: ctypes._Pointer[ctypes.c_short], count: int, events: ctypes._Pointer[_Event]
    ) -> int:
        """The library's callback; 1 makes it stop."""
        if samples and count > 0:
            self.pcm.append(np.ctypeslib.as_array(samples, (count,)).astype(np.int16))
        index = 0
        while events[index].type != _LIST_TERMINATED:
            event = events[index]
            if event.type == _WORD:
                self.words.append((event.text_position - 1, event.sample))
            elif event.type == _PHONEME and not event.id.string:
                self.pauses.append(event.sample)
            index += 1
        return int(self.stop.is_set())


def _words(text: str, run: _Run, rate_hz: int, seconds: float) -> list[Timing]:
    """What is written between two words, such as a comma, belongs to the first; the pause to neither."""
    timings = []
    # None at all of a script that it does not know.
    nexts = [*run.words, (len(text), round(seconds * rate_hz))][1:]
    for (first, start), (after, end) in zip(run.words, nexts, strict=True):
        written = text[first:after].strip()
        pause = bisect_right(run.pauses, start)
        quiet = min(end, run.pauses[pause]) if pause < len(run.pauses) else end
        if written and quiet > start:
            timings.append(Timing(written, start / rate_hz, quiet / rate_hz))
    return timings
