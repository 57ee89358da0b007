"""The poses that are rendered for training."""

import numpy as np

from services.lipsync.training.mouth_poses import pose_set
from services.lipsync.training.visemes import VISEMES


def test_training_starts_with_the_resting_mouth() -> None:
    assert not pose_set().train[0].any()


def test_every_viseme_is_rendered() -> None:
    poses = pose_set().train
    assert all(np.isclose(poses, shape).all(1).any() for shape in VISEMES.values())


def test_poses_stay_within_their_range() -> None:
    poses = pose_set().all
    assert poses.min() >= 0
    assert poses.max() <= 1


def test_what_a_decoder_is_judged_by_is_new_to_it_and_yet_not_far() -> None:
    poses = pose_set()
    nearest = np.linalg.norm(poses.held_out[:, None] - poses.train[None], axis=2).min(axis=1)
    assert nearest.min() > 0
    assert np.median(nearest) < 0.2
