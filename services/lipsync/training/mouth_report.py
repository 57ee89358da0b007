"""Scores of a trained mouth in, REPORT.md beside the network out."""

import datetime as dt
import platform
from collections.abc import Sequence
from pathlib import Path

from services.lipsync.training.mouth_evaluation import VoiceScore, score_table
from services.lipsync.training.mouth_stillness import Stillness, stillness_table

REPORT = "REPORT.md"


def write_report(
    folder: Path, heard: Sequence[VoiceScore], unheard: Sequence[VoiceScore], still: Sequence[Stillness]
) -> str:
    """Write and return the report on the network in `folder`; `unheard` voices were never trained on."""
    today = dt.datetime.now(dt.UTC).date()
    machine = f"{platform.machine()} ({platform.system()}, Python {platform.python_version()})"
    sections = [
        "# How well visavis-mouth follows speech",
        f"Measured by `python -m services.lipsync.training evaluate --recordings` on {today}, {machine}.",
        "## Voices it was trained on, sentences it has never heard",
        score_table(heard),
        *(["## Voices it has never heard", score_table(unheard)] if unheard else []),
        "## Sounds that are no speech",
        stillness_table(still),
        "## Method",
        _METHOD,
    ]
    report = "\n\n".join(sections) + "\n"
    (folder / REPORT).write_text(report, encoding="utf-8")
    return report


_METHOD = """\
The truth is the pose track made from the phone times of the engine (espeak-ng, Flite, Festival, RHVoice) or
of forced alignment (Pico, recordings of people: PocketSphinx, whose errors count against the network),
finished like the drawn poses. What nobody trained on comes from `python -m services.lipsync.training voices
FOLDER` and `evaluate --recordings FOLDER`; it serves this evaluation only and is no part of the project.
Noise, breaths and music are synthetic, of the kinds that training has heard. The drawn poses come from the
exported graph, clipped, smoothed and gated as in serving. Two choices were made by listening to strangers:
the front end of the network, out of three, and the milder gate for contacts (`contact_peak` in the manifest).

- *r*: correlation of a control with the truth, over all frames of the voice.
- *p/b/m closed*: share of these sounds during which (±20 ms) a frame has lips pressed above 0.5 and a jaw
  below 0.1. *f/v bitten*: likewise, lower lip on the teeth above 0.35. *o/u/w round*: lips rounded above 0.4.
- *of them m*: the same of m alone, which in an unheard voice is easily taken for n. *n shut (true)*: share of
  n and ng during which (but for 20 ms at both ends) the mouth is shut, drawn and true: a network that took
  every n for m would show here.
- *frames shut (true)*: how often the mouth is shut at all, drawn and true: a mouth that never opens would
  close on every p, and would show here.
- *jaw motion*: how far the drawn jaw travels, of what the true one does: a mouth that flaps is far above
  100 %, one that freezes far below.
- *lag*: by how many frames of 40 ms the drawn jaw comes late.
- *jitter*: the largest step of any control from one frame to the next."""
