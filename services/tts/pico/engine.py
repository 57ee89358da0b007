"""English text in, SVOX Pico's speech at 16 kHz and the time of every word out.

The engine runs as WebAssembly: no compiler is needed to install it, a bad text cannot harm the process, and a
fresh instance for every utterance (2 ms) makes the same text the same samples.
"""

from __future__ import annotations

import struct
import threading
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from importlib import resources
from itertools import groupby

import numpy as np
import wasmtime
from visavis.rpc.failures import Failure, FailureType
from wasmtime._instance import InstanceExports

from services.tts.embedded_provider import EngineMissing, Stopped
from services.tts.pico.source import voices_folder, voices_installed
from services.tts.providers import Recording, Timing, Utterance
from services.tts.voices import Voice

_SAMPLE_RATE_HZ = 16_000
_FRAME_SAMPLES = 64
# How long after its turn a frame is heard; measured against PocketSphinx's alignment of 85 words.
_VOCODER_DELAY_SECONDS = 0.022
_FILES = {
    "pico-en-US": ("en-US_ta.bin", "en-US_lh0_sg.bin"),
    "pico-en-GB": ("en-GB_ta.bin", "en-GB_kh0_sg.bin"),
}
# At the engine's own 100 its samples clip; loudness is set later, for all engines alike.
_VOLUME_PERCENT = 50
# In instructions, so that a text which the engine cannot digest comes to an end. A second of speech takes
# 73 million, and no character is longer than a digit: a third of a second.
_FUEL_AT_LEAST, _FUEL_PER_CHARACTER = 500_000_000, 50_000_000
# Words beyond are given the last mark's time; voice.c has room for this many.
_MARKS = 1_000


class PicoEngine:
    """Two women's voices. Any number of threads may speak at once."""

    voices: Sequence[Voice] = (
        Voice("pico-en-US", "Ava (American)", ("en-US",), "female", default=True),
        Voice("pico-en-GB", "Grace (British)", ("en-GB",), "female"),
    )
    phone_set = ""

    def __init__(self) -> None:
        if not voices_installed():
            raise EngineMissing("Pico's English voices: python -m services.tts.pico.source installs them")
        config = wasmtime.Config()
        config.consume_fuel = True
        self._engine = wasmtime.Engine(config)
        self._folder = str(voices_folder())
        wasm = resources.files(__package__).joinpath("pico.wasm").read_bytes()
        self._module = wasmtime.Module(self._engine, wasm)
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()

    def recording(self, utterance: Utterance, stop: threading.Event) -> Recording:
        """The utterance spoken. Raises Stopped soon after `stop` is set."""
        words = utterance.text.split()
        fuel = round(_FUEL_AT_LEAST + _FUEL_PER_CHARACTER * len(utterance.text) / utterance.speaking_rate)
        try:
            plain = self._spoken(utterance, " ".join(map(_speakable, words)), fuel, stop)
        except _EngineError as error:
            raise Failure(
                FailureType.INVALID_REQUEST,
                "This voice cannot read the text. Split it into shorter sentences.",
            ) from error
        waveform = plain.samples.astype(np.float32) / np.float32(32_768)
        return Recording(waveform, _SAMPLE_RATE_HZ, self._words(utterance, words, plain, stop))

    def _words(
        self, utterance: Utterance, words: Sequence[str], plain: _Spoken, stop: threading.Event
    ) -> Sequence[Timing]:
        """Marks change how the engine phrases, so it speaks again, only to tell where they lie."""
        text = " ".join(
            f'<mark name="{min(number, _MARKS)}"/>{_speakable(word)}' for number, word in enumerate(words)
        )
        try:
            # A sentence of a hundred words has no room for its marks: half as much again is enough to know.
            return _word_timings(words, plain, self._spoken(utterance, text, plain.fuel * 3 // 2, stop))
        except _EngineError:
            return []

    def _spoken(self, utterance: Utterance, text: str, fuel: int, stop: threading.Event) -> _Spoken:
        instance = _Instance(self._engine, self._linker, self._module, self._folder, fuel)
        instance.load(*_FILES[utterance.voice.name])
        rate = round(100 * utterance.speaking_rate)
        pitch = round(100 * 2 ** (utterance.pitch_semitones / 12))
        return instance.spoken(
            f'<volume level="{_VOLUME_PERCENT}"><speed level="{rate}"><pitch level="{pitch}">{text}', stop
        )


class _EngineError(Exception):
    """The engine failed at a text, or ran out of fuel."""


@dataclass(frozen=True, slots=True)
class _Spoken:
    """int16 samples, the sample at which each mark was passed (-1: never), each frame's phone, fuel used."""

    samples: np.ndarray[tuple[int], np.dtype[np.int16]]
    marks: Sequence[int]
    phones: bytes
    fuel: int

    def runs(self) -> list[_Run]:
        """Frames in a row with the same phone."""
        runs, frame = [], 0
        for phone, group in groupby(self.phones):
            length = len(list(group))
            runs.append(_Run(phone, frame, frame + length))
            frame += length
        return runs


@dataclass(frozen=True, slots=True)
class _Run:
    phone: int
    start_frame: int
    end_frame: int


@dataclass(slots=True)
class _Instance:
    """One engine in its own memory; the exports are described in voice.c."""

    engine: wasmtime.Engine
    linker: wasmtime.Linker
    module: wasmtime.Module
    folder: str
    fuel: int
    _store: wasmtime.Store = field(init=False)
    _exports: InstanceExports = field(init=False)

    def __post_init__(self) -> None:
        self._store = wasmtime.Store(self.engine)
        self._store.set_fuel(self.fuel)
        wasi = wasmtime.WasiConfig()
        wasi.preopen_dir(self.folder, "/", fs_mutable=False)
        self._store.set_wasi(wasi)
        self._exports = self.linker.instantiate(self._store, self.module).exports(self._store)
        self._call("_initialize")

    def load(self, analysis_file: str, signal_file: str) -> None:
        status = self._call("load_voice", self._text(f"/{analysis_file}"), self._text(f"/{signal_file}"))
        if status != 0:
            raise RuntimeError(f"SVOX Pico cannot load {analysis_file}: status {status}")

    def spoken(self, text: str, stop: threading.Event) -> _Spoken:
        self._call("begin", self._text(text), len(text.encode()) + 1)
        pieces = []
        while (size := self._call("speak_on")) > 0:
            pieces.append(self._read(self._call("samples"), size))
            if stop.is_set():
                raise Stopped
        if size < 0:
            raise _EngineError(f"status {size}")
        marks = struct.unpack(f"<{_MARKS + 1}i", self._read(self._call("mark_samples"), 4 * (_MARKS + 1)))
        phones = self._read(self._call("frame_phones"), self._call("frame_count"))
        used = self.fuel - self._store.get_fuel()
        return _Spoken(np.frombuffer(b"".join(pieces), "<i2"), marks, phones, used)

    def _call(self, name: str, *arguments: int) -> int:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            return int(function(self._store, *arguments) or 0)
        except (wasmtime.Trap, wasmtime.WasmtimeError) as error:
            raise _EngineError(name) from error

    def _read(self, address: int, size: int) -> bytes:
        return bytes(self._memory.read(self._store, address, address + size))

    def _text(self, text: str) -> int:
        encoded = text.encode() + b"\0"
        address = self._call("text_memory", len(encoded))
        self._memory.write(self._store, encoded, address)
        return address

    @property
    def _memory(self) -> wasmtime.Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return memory


def _speakable(word: str) -> str:
    """The word without what the engine would take for markup or does not know."""
    return word.translate(_REPLACED)


_REPLACED = str.maketrans(
    {"<": " ", ">": " ", "’": "'", "‘": "'", "“": '"', "”": '"', "—": ", ", "–": "-", "\0": " "}
)


def _word_timings(words: Sequence[str], plain: _Spoken, marked: _Spoken) -> list[Timing]:
    """Each word from its first phone to its last; words that are read as one, such as "12 May", stay one."""
    plain_runs, marked_runs = plain.runs(), marked.runs()
    if not plain_runs or not marked_runs:
        return []
    opcodes = SequenceMatcher(
        None, [run.phone for run in marked_runs], [run.phone for run in plain_runs], autojunk=False
    ).get_opcodes()
    ends = [run.end_frame * _FRAME_SAMPLES for run in marked_runs]
    starts = [
        _counterpart(opcodes, bisect_right(ends, marked.marks[min(number, _MARKS)]))
        for number in range(len(words))
    ]
    silence = plain.phones[0]
    timings: list[Timing] = []
    for first, group in groupby(range(len(words)), starts.__getitem__):
        numbers = list(group)
        text = " ".join(words[number] for number in numbers)
        after = starts[numbers[-1] + 1] if numbers[-1] + 1 < len(words) else len(plain_runs)
        spoken = [run for run in plain_runs[first:after] if run.phone != silence]
        if spoken:
            timings.append(Timing(text, _seconds(spoken[0].start_frame), _seconds(spoken[-1].end_frame)))
        elif timings:
            timings[-1] = replace(timings[-1], text=f"{timings[-1].text} {text}")
    return timings


def _seconds(frame: int) -> float:
    return frame * _FRAME_SAMPLES / _SAMPLE_RATE_HZ + _VOCODER_DELAY_SECONDS


def _counterpart(opcodes: Sequence[tuple[str, int, int, int, int]], index: int) -> int:
    """The place in the second sequence that answers to a place in the first."""
    for _, first, after, other_first, other_after in opcodes:
        if first <= index < after:
            return min(other_first + index - first, other_after)
    return opcodes[-1][4]
