"""Scores of a trained mouth in, REPORT.md beside the network out."""

import datetime as dt
import platform
from collections.abc import Sequence
from pathlib import Path

from services.lipsync.training.exported_mouth import ExportedMouth
from services.lipsync.training.mouth_evaluation import VoiceScore, score_table, stillness

REPORT = "REPORT.md"
_FAINT_NOISE_DECIBELS = -60.0


def write_report(
    folder: Path, mouth: ExportedMouth, heard: Sequence[VoiceScore], unheard: Sequence[VoiceScore]
) -> str:
    """Write and return the report on the network in `folder`; `unheard` voices were never trained on."""
    today = dt.datetime.now(dt.UTC).date()
    machine = f"{platform.machine()} ({platform.system()}, Python {platform.python_version()})"
    silent, faint = stillness(mouth, None), stillness(mouth, _FAINT_NOISE_DECIBELS)
    sections = [
        "# How well visavis-mouth follows speech",
        f"Measured by `python -m services.lipsync.training evaluate` on {today}, {machine}.",
        "## Voices it was trained on, sentences it has never heard",
        score_table(heard),
        *(["## Voices it has never heard", score_table(unheard)] if unheard else []),
        f"## Silence, and noise at {_FAINT_NOISE_DECIBELS:.0f} dB of full scale",
        f"Largest control over 4 s: {silent:.3f} in digital silence, {faint:.3f} in faint noise.",
        "## Method",
        _METHOD,
    ]
    report = "\n\n".join(sections) + "\n"
    (folder / REPORT).write_text(report, encoding="utf-8")
    return report


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
- *lag*: by how many frames of 40 ms the drawn jaw comes late."""
