"""A seed in, the poses (N,7) out that a decoder is trained on and the poses it is judged by."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.pose import CONTROLS
from services.lipsync.training.visemes import VISEMES

Poses = NDArray[np.float32]

HELD_OUT_POSES, POSE_SEED = 12, 7
_POOL = 196  # mixtures drawn before a prefix is taken: asking for more poses leaves the first ones alone
_STEPS = (0.33, 0.66, 1.0)


@dataclass(frozen=True)
class PoseSet:
    """`train` starts with the resting mouth; `held_out` holds mixtures that are not in `train`."""

    train: Poses
    held_out: Poses

    @property
    def all(self) -> Poses:
        """Training poses, then held-out ones."""
        return np.concatenate([self.train, self.held_out])


def pose_set(count: int, held_out: int, seed: int) -> PoseSet:
    """`count` training poses: rest, every viseme, each control alone, then mixtures of two visemes.

    Raises ValueError for more poses than there are.
    """
    alone = [step * row for row in np.eye(len(CONTROLS)) for step in _STEPS]
    shapes = [np.array(shape) for shape in VISEMES.values()]
    fixed = np.array([np.zeros(len(CONTROLS)), *shapes, *alone])
    mixed = _mixtures(np.random.default_rng(seed), _POOL)
    poses = np.concatenate([fixed, mixed]).astype(np.float32)
    if count + held_out > len(poses):
        raise ValueError(f"only {len(poses)} poses can be drawn, {count + held_out} were asked for")
    poses = poses[: count + held_out]
    return PoseSet(poses[:count], poses[count:])


def _mixtures(random: np.random.Generator, count: int) -> NDArray[np.float64]:
    """Two visemes on the way into each other, sometimes overshot or undershot as a careless speaker does."""
    shapes = np.array(list(VISEMES.values()))
    first, second = shapes[random.integers(0, len(shapes), (2, count))]
    share = random.uniform(0, 1, (count, 1))
    effort = random.uniform(0.5, 1.15, (count, 1))
    mixed: NDArray[np.float64] = np.clip(effort * (share * first + (1 - share) * second), 0, 1)
    return mixed
