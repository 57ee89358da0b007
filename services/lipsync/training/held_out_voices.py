"""Programs and recordings of this machine in, a folder of voices that training never hears out.

Debian has them all: festival, festlex-cmu, festvox-kdlpc16k and festvox-us-slt-hts; rhvoice and
rhvoice-english (non-free) with natives and strangers to English; and asterisk-core-sounds-en and -en-g722, a
person's prompts (CC-BY-SA). Both synthesisers tell their own phone times. All serve evaluation, never
training, and none of it becomes part of the project.
"""

import gzip
import os
import re
import shutil
import subprocess
import tempfile
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
_RHVOICES = {
    "RHVoice alan": "alan",
    "RHVoice bdl": "bdl",
    "RHVoice clb": "clb",
    "RHVoice evgeniy (a Russian's English)": "evgeniy-eng",
    "RHVoice lyubov (a Russian's English)": "lyubov",
}
_SENTENCES_PER_VOICE, _SEED = 25, 77
PERSON = "a person (prompts of Asterisk)"
_PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
_PROMPT_TEXTS = Path("/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz")
_SHORTEST_TEXT = 35
# What an HTS engine calls a label names the phones around one as well: "s^ae-t+b=ay@...".
_PHONE_OF_LABEL = re.compile(r"-(\w+)\+")
_LABEL_TICKS_PER_SECOND = 10_000_000
_PACKAGES = (
    "apt install festival festlex-cmu festvox-kdlpc16k festvox-us-slt-hts rhvoice rhvoice-english "
    "asterisk-core-sounds-en asterisk-core-sounds-en-g722 (rhvoice-english is in Debian's non-free)"
)


class VoicesNotInstalled(Exception):
    """A program or the recordings are missing; the message says what to install."""


def write_held_out_voices(folder: Path) -> None:
    """Write VOICE/NAME.wav, .txt and, where known, .segs for `recorded_speech`. Raises VoicesNotInstalled."""
    festival, rhvoice = shutil.which("festival"), shutil.which("RHVoice-test")
    if festival is None or rhvoice is None or not _PROMPT_TEXTS.exists():
        raise VoicesNotInstalled(_PACKAGES)
    rng = np.random.default_rng(_SEED)
    for name, voice in _FESTIVAL_VOICES.items():
        _speak_by_festival(festival, voice, _sentences(folder / name, rng))
    for name, voice in _RHVOICES.items():
        for path, sentence in _sentences(folder / name, rng):
            _speak_by_rhvoice(rhvoice, voice, path, sentence)
    _copy_prompts(folder / PERSON)


def _sentences(folder: Path, rng: np.random.Generator) -> list[tuple[Path, str]]:
    """Write a voice's texts; return each with the path, but for its ending, of what belongs to it."""
    folder.mkdir(parents=True, exist_ok=True)
    sentences = [(folder / f"{number:02}", english_sentence(rng)) for number in range(_SENTENCES_PER_VOICE)]
    for path, sentence in sentences:
        path.with_suffix(".txt").write_text(sentence, encoding="utf-8")
    return sentences


def _speak_by_festival(festival: str, voice: str, sentences: list[tuple[Path, str]]) -> None:
    # Without the voice Festival would go on in its own one.
    program = [f"(if (symbol-bound? 'voice_{voice}) (voice_{voice}) (exit 1))"]
    program += [
        f'(begin (set! u (utt.synth (Utterance Text "{sentence}")))'
        f'(utt.save.wave u "{path}.wav" (quote riff))(utt.save.segs u "{path}.segs"))'
        for path, sentence in sentences
    ]
    spoken = subprocess.run([festival, "--pipe"], input="\n".join(program), text=True, check=False)
    if spoken.returncode != 0:
        raise VoicesNotInstalled(f"Festival has no voice {voice}: {_PACKAGES}")


def _speak_by_rhvoice(rhvoice: str, voice: str, path: Path, sentence: str) -> None:
    """Write the wave and, from what its engine notes down at its best quality, the phones of one sentence."""
    command = [rhvoice, "--profile", voice, "--quality", "max", "--output", f"{path}.wav"]
    with tempfile.TemporaryDirectory() as notes:
        environment = {**os.environ, "RHVOICE_DEBUG_HTS_FILE": f"{notes}/notes"}
        subprocess.run(command, input=sentence, text=True, check=True, env=environment)
        labels = Path(notes, "notes.lab").read_text(encoding="utf-8")
    path.with_suffix(".segs").write_text(segs_of_labels(labels), encoding="utf-8")


def segs_of_labels(labels: str) -> str:
    """Return the labels of an HTS engine, "start end ..a-PHONE+b..", as Festival's segments."""
    timed = [line.split(maxsplit=2) for line in labels.splitlines()]
    segs = [
        f"{int(end) / _LABEL_TICKS_PER_SECOND} 0 {_PHONE_OF_LABEL.findall(label)[0]}"
        for _, end, label in timed
    ]
    return "\n".join(["#", *segs, ""])


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
