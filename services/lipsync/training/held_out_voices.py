"""Programs and recordings of this machine in, a folder of voices that training never hears out.

Debian has them all: festival, festlex-cmu, festvox-kdlpc16k and festvox-us-slt-hts, synthesisers that tell
their own phone times, and asterisk-core-sounds-en and -en-g722, a person's prompts (CC-BY-SA: for evaluation,
never for training). None of it becomes part of the project.
"""

import gzip
import re
import shutil
import subprocess
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np

from services.lipsync.training.sentences import english_sentence

_FESTIVAL_VOICES = {
    "festival ked diphone": "ked_diphone",
    "festival slt HTS (speaker of flite-slt)": "cmu_us_slt_arctic_hts",
}
_FESTIVAL_SENTENCES, _FESTIVAL_SEED = 25, 77
_PERSON = "a person (prompts of Asterisk)"
_PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_SHORTEST_TEXT = 35


class VoicesNotInstalled(Exception):
    """A program or the recordings are missing; the message says what to install."""


def write_held_out_voices(folder: Path) -> None:
    """Write VOICE/NAME.wav, .txt and, where known, .segs for `recorded_speech`. Raises VoicesNotInstalled."""
    festival = shutil.which("festival")
    if festival is None or not _PROMPT_TEXTS.exists():
        raise VoicesNotInstalled(
            "apt install festival festlex-cmu festvox-kdlpc16k festvox-us-slt-hts "
            "asterisk-core-sounds-en asterisk-core-sounds-en-g722"
        )
    rng = np.random.default_rng(_FESTIVAL_SEED)
    for name, voice in _FESTIVAL_VOICES.items():
        sentences = [english_sentence(rng) for _ in range(_FESTIVAL_SENTENCES)]
        _speak(festival, voice, sentences, folder / name)
    _copy_prompts(folder / _PERSON)


def _speak(festival: str, voice: str, sentences: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    program = [f"(voice_{voice})"]
    for number, sentence in enumerate(sentences):
        path = folder / f"{number:02}"
        path.with_suffix(".txt").write_text(sentence, encoding="utf-8")
        program.append(
            f'(begin (set! u (utt.synth (Utterance Text "{sentence}")))'
            f'(utt.save.wave u "{path}.wav" (quote riff))(utt.save.segs u "{path}.segs"))'
        )
    subprocess.run([festival, "--pipe"], input="\n".join(program), text=True, check=True)


def _copy_prompts(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in _prompts():
        kept = folder / path.stem
        kept.with_suffix(".txt").write_text(text, encoding="utf-8")
        with av.open(str(path), format="g722") as prompt, wave.open(f"{kept}.wav", "wb") as file:
            file.setparams((1, 2, prompt.streams.audio[0].rate, 0, "NONE", ""))
            for frame in prompt.decode(audio=0):
                file.writeframes(frame.to_ndarray().astype("<i2").tobytes())


def _prompts() -> Iterator[tuple[Path, str]]:
    """Yield the recordings that say a sentence, in the order of the list of their texts."""
    recorded = {path.stem: path for path in _PROMPTS.rglob("*.g722")}
    with gzip.open(_PROMPT_TEXTS, "rt", encoding="utf-8", errors="ignore") as texts:
        for line in texts:
            name, _, text = line.strip().partition(": ")
            stem = name.rpartition("/")[2]
            if stem in recorded and len(text) > _SHORTEST_TEXT and re.fullmatch(r"[A-Za-z ,.'!?-]+", text):
                yield recorded[stem], text
