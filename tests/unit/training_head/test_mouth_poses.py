"""The poses that are rendered for training."""

import numpy as np
import pytest

from services.lipsync.training.mouth_poses import pose_set
from services.lipsync.training.visemes import VISEMES


def test_training_starts_with_the_resting_mouth() -> None:
    assert not pose_set(100, 10, seed=1).train[0].any()


def test_every_viseme_is_rendered() -> None:
    poses = pose_set(100, 10, seed=1).train
    assert all(np.isclose(poses, shape).all(1).any() for shape in VISEMES.values())


def test_the_same_seed_gives_the_same_poses() -> None:
    assert np.array_equal(pose_set(100, 10, seed=1).all, pose_set(100, 10, seed=1).all)
    assert not np.array_equal(pose_set(100, 10, seed=1).all, pose_set(100, 10, seed=2).all)


def test_asking_for_more_leaves_the_first_ones_alone() -> None:
    assert np.array_equal(pose_set(150, 10, seed=1).train[:100], pose_set(100, 10, seed=1).train)


def test_more_poses_than_can_be_drawn_are_refused() -> None:
    with pytest.raises(ValueError, match="can be drawn"):
        pose_set(1000, 0, seed=1)


def test_poses_stay_within_their_range_and_held_out_ones_are_new() -> None:
    poses = pose_set(120, 20, seed=3)
    assert (len(poses.train), len(poses.held_out)) == (120, 20)
    assert poses.all.min() >= 0
    assert poses.all.max() <= 1
    nearest = np.abs(poses.held_out[:, None] - poses.train[None]).max(-1).min(1)
    assert nearest.min() > 0
