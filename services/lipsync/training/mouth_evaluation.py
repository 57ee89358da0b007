"""An exported mouth network and labelled speech in, a table of how well the mouth follows each voice out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND
from services.lipsync.pose import JAW, LIP_TEETH, PRESS, ROUND
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.visemes import Segment

# A jaw opened by less than this leaves no gap between pressed lips that anyone could see.
_SHUT_JAW = 0.1
_LIPS_TOUCH = 0.5
_TEETH_ON_LIP = 0.35
_LIPS_ROUND = 0.4
_PHONE_MARGIN_SECONDS = 0.02
# Lips that meet for the phone before or after an n may still touch, or touch already, this far inside of it.
_NEIGHBOURS_SECONDS = 0.02
_SMALLEST_LABIAL_START_SECONDS = 0.06
_LONGEST_LAG_FRAMES = 6


class Mouth(Protocol):
    """Whatever turns speech into poses that are fit to be drawn."""

    def finished(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return (N, 7) raw poses, here the true ones, as they would be drawn."""
        ...

    def poses(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the (N, 7) poses of a 16 kHz waveform at 25 fps."""
        ...


@dataclass(frozen=True)
class VoiceScore:
    """How one voice's mouth compares with the truth of its labels, over all its speech."""

    voice: str
    seconds: float
    jaw_correlation: float
    round_correlation: float
    press_correlation: float
    closed_share: float
    m_closed_share: float
    n_shut_share: float
    true_n_shut_share: float
    lip_teeth_share: float
    rounded_share: float
    shut_frames_share: float
    true_shut_frames_share: float
    jaw_motion: float
    lag_frames: float


def voice_scores(mouth: Mouth, corpus: Iterable[LabelledSpeech]) -> list[VoiceScore]:
    """Return one score per voice, sorted by its name."""
    by_voice = groupby(sorted(corpus, key=lambda speech: speech.voice), key=lambda speech: speech.voice)
    return [_voice_score(mouth, voice, list(spoken)) for voice, spoken in by_voice]


def score_table(scores: Sequence[VoiceScore]) -> str:
    """Return the scores as a Markdown table."""
    header = (
        "voice", "seconds", "r jaw", "r round", "r press",
        "p/b/m closed", "of them m", "n shut (true)", "f/v bitten", "o/u/w round",
        "frames shut (true)", "jaw motion", "lag, frames",
    )  # fmt: skip
    rows = [header, ("---", *["--:"] * (len(header) - 1)), *(_table_row(score) for score in scores)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _table_row(score: VoiceScore) -> tuple[str, ...]:
    return (
        score.voice,
        f"{score.seconds:.0f}",
        f"{score.jaw_correlation:.2f}",
        f"{score.round_correlation:.2f}",
        f"{score.press_correlation:.2f}",
        f"{score.closed_share:.0%}",
        f"{score.m_closed_share:.0%}",
        f"{score.n_shut_share:.0%} ({score.true_n_shut_share:.0%})",
        f"{score.lip_teeth_share:.0%}",
        f"{score.rounded_share:.0%}",
        f"{score.shut_frames_share:.0%} ({score.true_shut_frames_share:.0%})",
        f"{score.jaw_motion:.0%}",
        f"{score.lag_frames:+.1f}",
    )


def _voice_score(mouth: Mouth, voice: str, corpus: Sequence[LabelledSpeech]) -> VoiceScore:
    predicted, true = [], []
    closed: list[bool] = []
    m_closed: list[bool] = []
    n_shut: list[bool] = []
    true_n_shut: list[bool] = []
    bitten: list[bool] = []
    rounded: list[bool] = []
    for speech in corpus:
        poses = mouth.poses(speech.waveform)
        predicted.append(poses)
        true.append(mouth.finished(pose_track(speech.segments, len(poses))))
        by_lips = _showing(speech, "pbm")
        by_tongue = [segment for segment in speech.segments if segment.nasal and segment.viseme != "pbm"]
        closed += _seen(_shut(poses), by_lips)
        m_closed += _seen(_shut(poses), [segment for segment in by_lips if segment.nasal])
        n_shut += _seen(_shut(poses), by_tongue, -_NEIGHBOURS_SECONDS)
        true_n_shut += _seen(_shut(true[-1]), by_tongue, -_NEIGHBOURS_SECONDS)
        bitten += _seen(poses[:, LIP_TEETH] > _TEETH_ON_LIP, _showing(speech, "fv"))
        rounded += _seen(poses[:, ROUND] > _LIPS_ROUND, _showing(speech, "ow", "uw", "w"))
    drawn, truth = np.concatenate(predicted), np.concatenate(true)
    return VoiceScore(
        voice=voice,
        seconds=len(drawn) / FRAMES_PER_SECOND,
        jaw_correlation=_correlation(drawn[:, JAW], truth[:, JAW]),
        round_correlation=_correlation(drawn[:, ROUND], truth[:, ROUND]),
        press_correlation=_correlation(drawn[:, PRESS], truth[:, PRESS]),
        closed_share=_share(closed),
        m_closed_share=_share(m_closed),
        n_shut_share=_share(n_shut),
        true_n_shut_share=_share(true_n_shut),
        lip_teeth_share=_share(bitten),
        rounded_share=_share(rounded),
        shut_frames_share=float(_shut(drawn).mean()),
        true_shut_frames_share=float(_shut(truth).mean()),
        jaw_motion=_motion(drawn[:, JAW]) / _motion(truth[:, JAW]),
        lag_frames=_lag_frames(drawn[:, JAW], truth[:, JAW]),
    )


def _shut(poses: NDArray[np.float32]) -> NDArray[np.bool_]:
    return np.asarray((poses[:, PRESS] > _LIPS_TOUCH) & (poses[:, JAW] < _SHUT_JAW))


def _share(seen: Sequence[bool]) -> float:
    return float(np.mean(seen)) if seen else float("nan")


def _showing(speech: LabelledSpeech, *visemes: str) -> list[Segment]:
    return [segment for segment in speech.segments if segment.viseme in visemes]


def _seen(
    shown: NDArray[np.bool_], segments: Sequence[Segment], margin_seconds: float = _PHONE_MARGIN_SECONDS
) -> list[bool]:
    """Return whether any frame of each segment shows; the very first has no approach to be seen: left out."""
    spans = (
        slice(
            max(0, int((segment.start_seconds - margin_seconds) * FRAMES_PER_SECOND)),
            min(len(shown), int(np.ceil((segment.end_seconds + margin_seconds) * FRAMES_PER_SECOND))),
        )
        for segment in segments
        if segment.start_seconds >= _SMALLEST_LABIAL_START_SECONDS
    )
    return [bool(shown[span].any()) for span in spans if span.stop > span.start]


def _motion(control: NDArray[np.float32]) -> float:
    return float(np.abs(np.diff(control)).mean())


def _correlation(drawn: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    if drawn.std() == 0 or true.std() == 0:
        return float("nan")
    return float(np.corrcoef(drawn, true)[0, 1])


def _lag_frames(drawn: NDArray[np.float32], true: NDArray[np.float32]) -> float:
    """Return by how many frames the drawn jaw is late, to a fraction of one (parabola on the peak)."""
    lags = np.arange(-_LONGEST_LAG_FRAMES, _LONGEST_LAG_FRAMES + 1)
    middle = slice(_LONGEST_LAG_FRAMES, -_LONGEST_LAG_FRAMES)
    likeness = np.array([_correlation(np.roll(drawn, -lag)[middle], true[middle]) for lag in lags])
    best = int(np.clip(likeness.argmax(), 1, len(lags) - 2))
    before, peak, after = likeness[best - 1 : best + 2]
    return float(lags[best] + 0.5 * (before - after) / (before - 2 * peak + after))
