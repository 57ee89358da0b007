"""The poses (N,7) that every head is rendered in: those that decoders learn from, those they are judged by.

They learn the resting mouth, every viseme, each control alone, mixtures of two visemes, and moments of
speech; they are judged by other moments, of sentences that lent none. `speech_moments` chose the moments; as
every head is rendered in them, they are kept in moments.csv, in the order of `pose.CONTROLS`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lipsync.pose import CONTROLS
from services.lipsync.training.visemes import VISEMES

Poses = NDArray[np.float32]

MOMENTS = Path(__file__).with_name("moments.csv")
HELD_OUT_MOMENTS = 24
_STEPS = (0.33, 0.66, 1.0)
# The mixtures are the first of those drawn: with another number drawn all of them would be others.
_MIXTURES, _SEED, _DRAWN = 76, 7, 196


@dataclass(frozen=True)
class PoseSet:
    """`train` starts with the resting mouth; `held_out` holds moments of other sentences."""

    train: Poses
    held_out: Poses

    @property
    def all(self) -> Poses:
        """Training poses, then held-out ones."""
        return np.concatenate([self.train, self.held_out])


def pose_set() -> PoseSet:
    """Return the poses that heads are rendered in."""
    moments = np.loadtxt(MOMENTS, np.float32, delimiter=",")
    learned, held_out = moments[:-HELD_OUT_MOMENTS], moments[-HELD_OUT_MOMENTS:]
    return PoseSet(np.concatenate([basic_poses(), _mixtures(), learned]), held_out)


def basic_poses() -> Poses:
    """Return the resting mouth, every viseme, and each control alone, a third at a time."""
    alone = [step * row for row in np.eye(len(CONTROLS)) for step in _STEPS]
    return np.array([np.zeros(len(CONTROLS)), *VISEMES.values(), *alone], np.float32)


def _mixtures() -> Poses:
    """Two visemes on the way into each other, sometimes overshot or undershot as a careless speaker does."""
    random = np.random.default_rng(_SEED)
    shapes = np.array(list(VISEMES.values()))
    first, second = shapes[random.integers(0, len(shapes), (2, _DRAWN))]
    share = random.uniform(0, 1, (_DRAWN, 1))
    effort = random.uniform(0.5, 1.15, (_DRAWN, 1))
    mixed = effort * (share * first + (1 - share) * second)
    return np.asarray(np.clip(mixed[:_MIXTURES], 0, 1), np.float32)
