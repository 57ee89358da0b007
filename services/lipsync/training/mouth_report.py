"""Scores of a trained mouth in, REPORT.md beside the network out."""

import datetime as dt
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.backgrounds import breath, music, noise
from services.lipsync.training.exported_mouth import ExportedMouth
from services.lipsync.training.mouth_evaluation import VoiceScore, score_table, stillness

REPORT = "REPORT.md"
_SECONDS = 4


def write_report(
    folder: Path, mouth: ExportedMouth, heard: Sequence[VoiceScore], unheard: Sequence[VoiceScore]
) -> str:
    """Write and return the report on the network in `folder`; `unheard` voices were never trained on."""
    today = dt.datetime.now(dt.UTC).date()
    machine = f"{platform.machine()} ({platform.system()}, Python {platform.python_version()})"
    sections = [
        "# How well visavis-mouth follows speech",
        f"Measured by `python -m services.lipsync.training evaluate` on {today}, {machine}.",
        "## Voices it was trained on, sentences it has never heard",
        score_table(heard),
        *(["## Voices it has never heard", score_table(unheard)] if unheard else []),
        "## Sounds that are no speech",
        _stillness_table(mouth),
        "## Method",
        _METHOD,
    ]
    report = "\n\n".join(sections) + "\n"
    (folder / REPORT).write_text(report, encoding="utf-8")
    return report


def _stillness_table(mouth: ExportedMouth) -> str:
    rng = np.random.default_rng(1)
    samples = _SECONDS * SAMPLE_RATE_HZ
    sounds = {
        "digital silence": np.zeros(samples),
        "noise at -60 dB": 1e-3 * noise(samples, rng),
        "noise at -40 dB": 1e-2 * noise(samples, rng),
        "breaths with a peak of -20 dB": 0.1 * np.concatenate([breath(samples // 4, rng) for _ in range(4)]),
        "music at -30 dB": 10**-1.5 * music(samples, rng),
    }
    rows = ["| sound | widest control | jaw on average |", "| --- | --: | --: |"]
    for name, sound in sounds.items():
        still = stillness(mouth, sound.astype(np.float32))
        rows.append(f"| {name} | {still.widest:.3f} | {still.mean_jaw:.3f} |")
    return "\n".join(rows)


_METHOD = """\
The truth is the pose track made from the phone times of the engine (espeak-ng, Flite) or of forced alignment
(Pico, recordings: PocketSphinx, whose errors count against the network), finished like the drawn poses.
Recordings, of people or of other synthesisers, serve this evaluation only and are no part of the project.
The drawn poses come from the exported graph, clipped, smoothed and gated as in serving.

- *r*: correlation of a control with the truth, over all frames of the voice.
- *p/b/m closed*: share of these sounds during which (±20 ms) a frame has lips pressed above 0.5 and a jaw
  below 0.1. *f/v bitten*: likewise, lower lip on the teeth above 0.35.
- *frames shut (true)*: how often the mouth is shut at all, drawn and true: a mouth that never opens would
  close on every p, and would show here.
- *jaw motion*: how far the drawn jaw travels, of what the true one does: a mouth that flaps is far above
  100 %, one that freezes far below.
- *lag*: by how many frames of 40 ms the drawn jaw comes late."""
