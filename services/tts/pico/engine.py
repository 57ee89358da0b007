"""Text in one of six languages in, SVOX Pico's speech at 16 kHz and the time of every word out.

The engine runs as WebAssembly: no compiler is needed to install it, a bad text cannot harm the process, and a
fresh instance for every utterance (2 ms) makes the same text the same samples.
"""

from __future__ import annotations

import math
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import resources

import numpy as np
import wasmtime
from visavis.rpc.failures import Failure, FailureType
from wasmtime._instance import InstanceExports

from services.tts.embedded_provider import EngineMissing, Stopped
from services.tts.pico.source import VOICE_FILES, voices_folder, voices_installed
from services.tts.pico.word_times import LAST_MARK, SAMPLE_RATE_HZ, Spoken, word_timings
from services.tts.providers import Recording, Timing, Utterance
from services.tts.voices import Voice

# The engine has women's voices only. Played slower, by as much as a man's vocal tract is longer (a seventh),
# and spoken lower, and faster to make up for it, one of them is a man's. Of 16 settings this one had the best
# DNSMOS (P.835 overall, five sentences): 2.92, the voice unchanged 2.53, espeak-ng's man 2.67.
_MALE_VOICE, _MALE_SLOWNESS, _MALE_PITCH = "pico-en-US-male", 0.88, 0.70
# What the engine's own scale, 100 for unchanged, reaches.
_LEAST_PITCH, _MOST_PITCH = 50, 200
# At the engine's own 100 its samples clip; loudness is set later, for all engines alike.
_VOLUME_PERCENT = 50
# In instructions, so that a text which the engine cannot digest comes to an end. A second of speech takes
# 73 million, and no character is longer than a digit: a third of a second.
_FUEL_AT_LEAST, _FUEL_PER_CHARACTER = 500_000_000, 50_000_000


class PicoEngine:
    """Six women's voices, and a man's made of one. Any number of threads may speak at once."""

    voices: Sequence[Voice] = (
        Voice("pico-en-US", "Ava (American)", ("en-US",), "female", default=True),
        Voice(_MALE_VOICE, "Adam (American)", ("en-US",), "male"),
        Voice("pico-en-GB", "Grace (British)", ("en-GB",), "female"),
        Voice("pico-de-DE", "Greta (Deutsch)", ("de-DE",), "female", default=True),
        Voice("pico-es-ES", "Zoe (español)", ("es-ES",), "female", default=True),
        Voice("pico-fr-FR", "Nina (français)", ("fr-FR",), "female", default=True),
        Voice("pico-it-IT", "Chiara (italiano)", ("it-IT",), "female", default=True),
    )

    def __init__(self) -> None:
        if not voices_installed():
            raise EngineMissing("Pico's voices: python -m services.tts.pico.source installs them")
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
        return Recording(waveform, plain.rate_hz, self._words(utterance, words, plain, stop))

    def _words(
        self, utterance: Utterance, words: Sequence[str], plain: Spoken, stop: threading.Event
    ) -> Sequence[Timing]:
        """Marks change how the engine phrases, so it speaks again, only to tell where they lie."""
        text = " ".join(
            f'<mark name="{min(number, LAST_MARK)}"/>{_speakable(word)}' for number, word in enumerate(words)
        )
        try:
            # A sentence of a hundred words has no room for its marks: half as much again is enough to know.
            return word_timings(words, plain, self._spoken(utterance, text, plain.fuel * 3 // 2, stop))
        except _EngineError:
            return []

    def _spoken(self, utterance: Utterance, text: str, fuel: int, stop: threading.Event) -> Spoken:
        slowness, lowering = (
            (_MALE_SLOWNESS, _MALE_PITCH) if utterance.voice.name == _MALE_VOICE else (1.0, 1.0)
        )
        speed = round(100 * utterance.speaking_rate / slowness)
        pitch = _pitch_percent(utterance.pitch_semitones, lowering)
        instance = _Instance(self._engine, self._linker, self._module, self._folder, fuel)
        instance.load(*VOICE_FILES[utterance.voice.languages[0]])
        markup = f'<volume level="{_VOLUME_PERCENT}"><speed level="{speed}"><pitch level="{pitch}">'
        return replace(instance.spoken(markup + text, stop), rate_hz=round(SAMPLE_RATE_HZ * slowness))


def _pitch_percent(semitones: float, lowering: float) -> int:
    percent = round(100 * lowering * 2 ** (semitones / 12))
    if not _LEAST_PITCH <= percent <= _MOST_PITCH:
        least, most = (12 * math.log2(end / (100 * lowering)) for end in (_LEAST_PITCH, _MOST_PITCH))
        raise Failure(
            FailureType.UNSUPPORTED_SETTING,
            f"This voice's pitch_semitones must lie between {least:.1f} and {most:.1f}.",
        )
    return percent


class _EngineError(Exception):
    """The engine failed at a text, or ran out of fuel."""


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

    def spoken(self, text: str, stop: threading.Event) -> Spoken:
        self._call("begin", self._text(text), len(text.encode()) + 1)
        pieces = []
        while (size := self._call("speak_on")) > 0:
            pieces.append(self._read(self._call("samples"), size))
            if stop.is_set():
                raise Stopped
        if size < 0:
            raise _EngineError(f"status {size}")
        marks = struct.unpack(
            f"<{LAST_MARK + 1}i", self._read(self._call("mark_samples"), 4 * (LAST_MARK + 1))
        )
        phones = self._read(self._call("frame_phones"), self._call("frame_count"))
        used = self.fuel - self._store.get_fuel()
        return Spoken(np.frombuffer(b"".join(pieces), "<i2"), marks, phones, used)

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
