"""Moments of speech: few poses, and yet every pose of speech is near to one of them."""

import numpy as np
import pytest

from services.lipsync.pose import JAW, PRESS
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_poses import Poses, basic_poses
from services.lipsync.training.speech_moments import moving_poses, rare_poses, seen_distances, typical_poses
from services.lipsync.training.visemes import Segment


def speech(*visemes: str) -> LabelledSpeech:
    segments = tuple(Segment(viseme, 0.2 + 0.1 * n, 0.3 + 0.1 * n) for n, viseme in enumerate(visemes))
    return LabelledSpeech("someone", "", np.zeros(16_000 * (len(visemes) + 4) // 10, np.float32), segments)


@pytest.fixture(scope="module")
def spoken() -> Poses:
    random = np.random.default_rng(0)
    visemes = ["pbm", "aa", "uw", "fv", "iy", "sz", "ow", "tdnl", "ax"]
    return moving_poses([speech(*random.choice(visemes, 12)) for _ in range(60)])


def distance(poses: Poses, known: Poses) -> Poses:
    return np.asarray(seen_distances(poses, known).min(axis=1))


def test_pauses_are_left_out_and_closures_are_shut() -> None:
    poses = moving_poses([speech("aa", "pbm", "aa"), speech("rest", "rest")])
    assert poses.max(axis=1).min() > 0.1
    closed = poses[poses[:, PRESS].argmax()]
    assert closed[PRESS] == 1
    assert closed[JAW] < 0.1


def test_typical_poses_bring_speech_nearer_than_as_many_drawn_at_random(spoken: Poses) -> None:
    basic = basic_poses()
    chosen = distance(spoken, np.concatenate([basic, typical_poses(spoken, basic, 30)]))
    drawn = distance(spoken, np.concatenate([basic, np.random.default_rng(1).choice(spoken, 30)]))
    assert (chosen**2).mean() < 0.9 * (drawn**2).mean()


def test_rare_poses_leave_nothing_far_away(spoken: Poses) -> None:
    basic = basic_poses()
    farthest = distance(spoken, np.concatenate([basic, rare_poses(spoken, basic, 30)])).max()
    drawn = distance(spoken, np.concatenate([basic, np.random.default_rng(1).choice(spoken, 30)])).max()
    assert farthest < 0.8 * drawn
