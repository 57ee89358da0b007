"""The score card: a mouth that speaks the truth scores full marks, a late one shows its lateness."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.pose import JAW, ClosureGate, shut_poses
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_evaluation import VoiceScore, score_table, voice_scores
from services.lipsync.training.visemes import Segment

GATE = ClosureGate(0.12, 0.62)
VISEMES = ("aa", "pbm", "iy", "fv", "uw", "pbm", "eh", "sz", "ao", "pbm", "ih", "fv", "ah", "w", "ae", "tdnl")


def babble(voice: str) -> LabelledSpeech:
    segments = tuple(
        Segment(viseme, 0.2 + 0.12 * position, 0.32 + 0.12 * position)
        for position, viseme in enumerate(VISEMES * 4)
    )
    return LabelledSpeech(voice, "", np.zeros(8 * 16_000, np.float32), segments)


class TruthfulMouth:
    """Draws the truth of the one utterance it knows, or takes it for other segments, some frames late."""

    def __init__(
        self, late_frames: int = 0, jaw_scale: float = 1.0, segments: tuple[Segment, ...] | None = None
    ) -> None:
        track = shut_poses(pose_track(segments or babble("").segments, 200), GATE)
        track[:, JAW] *= jaw_scale
        self._track = np.roll(track, late_frames, axis=0)

    def finished(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        return shut_poses(raw, GATE)

    def poses(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        return self._track


def score_of(mouth: TruthfulMouth) -> VoiceScore:
    (score,) = voice_scores(mouth, [babble("one")])
    return score


def test_the_truth_scores_full_marks() -> None:
    score = score_of(TruthfulMouth())
    assert score.jaw_correlation == pytest.approx(1.0)
    assert score.closed_share == score.lip_teeth_share == score.rounded_share == 1.0
    assert score.jaw_motion == pytest.approx(1.0)
    assert score.lag_frames == pytest.approx(0.0, abs=0.05)


@pytest.mark.parametrize("late", [-2, 1, 3])
def test_lateness_is_told_in_frames(late: int) -> None:
    assert score_of(TruthfulMouth(late_frames=late)).lag_frames == pytest.approx(late, abs=0.1)


def test_lips_pressed_over_an_open_jaw_are_not_closed() -> None:
    assert score_of(TruthfulMouth(jaw_scale=0.0)).closed_share == 1.0
    late = score_of(TruthfulMouth(late_frames=5))
    assert late.closed_share < 0.5


def test_an_m_left_open_and_an_n_shut_are_both_told() -> None:
    pairs = (("pbm", True), ("aa", False), ("tdnl", True), ("aa", False), ("pbm", False), ("aa", False))
    segments = tuple(
        Segment(viseme, 0.2 + 0.12 * position, 0.32 + 0.12 * position, nasal)
        for position, (viseme, nasal) in enumerate(pairs * 4)
    )
    swapped = tuple(
        replace(segment, viseme={"pbm": "tdnl", "tdnl": "pbm"}[segment.viseme]) if segment.nasal else segment
        for segment in segments
    )
    mouth = TruthfulMouth(segments=swapped)
    (score,) = voice_scores(mouth, [LabelledSpeech("one", "", np.zeros(8 * 16_000, np.float32), segments)])
    assert score.closed_share == 0.5
    assert score.m_closed_share == 0.0
    assert score.n_shut_share == 1.0
    assert score.true_n_shut_share == 0.0


def test_a_sluggish_jaw_is_told_from_a_lively_one() -> None:
    assert score_of(TruthfulMouth(jaw_scale=0.5)).jaw_motion == pytest.approx(0.5, abs=0.01)


def test_each_voice_has_its_row_in_the_table() -> None:
    scores = voice_scores(TruthfulMouth(), [babble("zoe"), babble("adam"), babble("zoe")])
    assert [score.voice for score in scores] == ["adam", "zoe"]
    assert [line.split("|")[1].strip() for line in score_table(scores).splitlines()[2:]] == ["adam", "zoe"]
