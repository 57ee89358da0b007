"""Corpora of labelled speech in, a few poses (N,7) out that stand for all that mouths go through in it.

With other ones every mouth has to be rendered again, so `make train` takes those that are kept.
"""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from services.lipsync.pose import finished_poses
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.finishing import CLOSURE, CONTACT_PEAK, SMOOTHING
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_poses import HELD_OUT_MOMENTS, Poses, basic_poses

_TYPICAL, _RARE = 150, 66
_CHOSEN_FROM, _SEED = 4_000, 7
# A mouth that no control moves further than this is taken for a resting one.
_RESTING = 0.12
# How far each control, fully shown, moves the picture: root mean squares of Ava and Amara, over their mean.
_SEEN = np.array([2.3, 1.1, 0.6, 0.8, 1.2, 1.0, 0.1], np.float32)


def chosen_moments(corpus: Iterable[LabelledSpeech], held_out: Iterable[LabelledSpeech]) -> Poses:
    """Return moments to learn from, out of one corpus, then moments to judge by, out of another."""
    random = np.random.default_rng(_SEED)
    spoken = random.choice(moving_poses(corpus), _CHOSEN_FROM, replace=False)
    basic = basic_poses()
    typical = typical_poses(spoken, basic, _TYPICAL)
    rare = rare_poses(spoken, np.concatenate([basic, typical]), _RARE)
    judges = random.choice(moving_poses(held_out), HELD_OUT_MOMENTS, replace=False)
    return np.concatenate([typical, rare, judges])


def moving_poses(corpus: Iterable[LabelledSpeech]) -> Poses:
    """Return the (N, 7) poses, as they are drawn, of all frames in which a mouth moves."""
    tracks = (
        pose_track(speech.segments, speech.waveform.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ)
        for speech in corpus
    )
    poses = np.concatenate([finished_poses(track, SMOOTHING, CLOSURE, CONTACT_PEAK) for track in tracks])
    return np.asarray(poses[poses.max(axis=1) > _RESTING])


def typical_poses(poses: Poses, known: Poses, count: int) -> Poses:
    """Return `count` of the poses: each in turn the one that brings all others nearest to a known one.

    Greedy k-medoids with squared distances; memory grows with the square of the number of poses.
    """
    distances = seen_distances(poses, poses) ** 2
    nearest = seen_distances(poses, known).min(axis=1) ** 2
    chosen = []
    for _ in range(count):
        best = int(np.minimum(distances, nearest).sum(axis=1).argmin())
        chosen.append(best)
        nearest = np.minimum(nearest, distances[best])
    return poses[chosen]


def rare_poses(poses: Poses, known: Poses, count: int) -> Poses:
    """Return `count` of the poses: each in turn the one that is farthest from every known one."""
    nearest = seen_distances(poses, known).min(axis=1)
    chosen = []
    for _ in range(count):
        farthest = int(nearest.argmax())
        chosen.append(farthest)
        nearest = np.minimum(nearest, seen_distances(poses, poses[farthest : farthest + 1])[:, 0])
    return poses[chosen]


def seen_distances(some: Poses, others: Poses) -> NDArray[np.float32]:
    """Return the (N, M) distances between (N, 7) and (M, 7) poses, as the pictures of them differ."""
    some, others = some * _SEEN, others * _SEEN
    squares = (some**2).sum(axis=1)[:, None] + (others**2).sum(axis=1) - 2 * some @ others.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))
