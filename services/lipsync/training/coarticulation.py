"""Timed visemes in, the pose of the mouth at every video frame out: neighbours blend, closures close.

Source of the method: Cohen and Massaro, Modeling Coarticulation in Synthetic Visual Speech (1993). Every
segment pulls each control towards its own value with a dominance that falls off with the distance in time.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND
from services.lipsync.pose import CONTROLS, JAW, PRESS
from services.lipsync.training.visemes import Segment, viseme_pose

# How far into a neighbour each control reaches: lips and jaw lag behind, a closure is quick.
_REACH_SECONDS = np.array([0.045, 0.070, 0.070, 0.016, 0.033, 0.045, 0.040])
_FALL_OFF = 1.3
# No multiple of half an instant: where a segment is forgotten, rounding must not decide.
_FORGOTTEN_AFTER_SECONDS = 0.3503
# The flat top of a segment's dominance leaves out this share at both ends; lips meet and part abruptly.
_SHOULDER = np.array([0.25, 0.25, 0.25, 0.05, 0.15, 0.25, 0.25])
_INSTANTS_PER_FRAME = 4
# A frame shows the extreme of what happened in it rather than the mean, or short closures would vanish.
_EXTREME_SHARE = 0.6

_DOMINANCE = {"rest": 0.5, "th": 0.7, "tdnl": 0.45, "kgng": 0.3, "r": 0.6, "h": 0.15, "ax": 0.5}
_CONTROL_DOMINANCE: dict[str, tuple[float, ...]] = {
    "pbm": (3.0, 0.25, 0.25, 5.0, 4.0, 4.0, 1.0),
    "fv": (3.0, 0.3, 0.3, 4.0, 8.0, 3.0, 1.0),
    "sz": (2.5, 0.7, 0.7, 0.7, 0.7, 2.0, 0.7),
    "chsh": (2.5, 0.9, 0.9, 0.9, 0.9, 2.0, 0.9),
    "w": (1.3, 3.0, 1.3, 1.3, 1.3, 1.3, 1.3),
    "uw": (1.0, 2.6, 1.0, 1.0, 1.0, 1.0, 1.0),
    "ow": (1.0, 2.2, 1.0, 1.0, 1.0, 1.0, 1.0),
    "ao": (1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    "uh": (1.0, 2.0, 1.0, 1.0, 1.0, 1.0, 1.0),
}


def pose_track(segments: Sequence[Segment], frames: int) -> NDArray[np.float32]:
    """Return the (frames, 7) controls at 25 fps, each within 0..1; silence outside of the segments rests.

    Frame i covers the instants from i * 0.04 s to (i + 1) * 0.04 s.
    """
    instants = (np.arange(frames * _INSTANTS_PER_FRAME) + 0.5) / (FRAMES_PER_SECOND * _INSTANTS_PER_FRAME)
    pulled = np.zeros((instants.size, len(CONTROLS)))
    pull = np.full_like(pulled, 1e-6)
    for segment in segments:
        first, last = np.searchsorted(
            instants,
            (
                segment.start_seconds - _FORGOTTEN_AFTER_SECONDS,
                segment.end_seconds + _FORGOTTEN_AFTER_SECONDS,
            ),
        )
        dominance = _dominance(segment, instants[first:last])
        pulled[first:last] += dominance * viseme_pose(segment.viseme)
        pull[first:last] += dominance
    return _frames_of_instants((pulled / pull).reshape(frames, _INSTANTS_PER_FRAME, len(CONTROLS)))


def _dominance(segment: Segment, instants: NDArray[np.float64]) -> NDArray[np.float64]:
    shoulder = _SHOULDER * (segment.end_seconds - segment.start_seconds)
    before = segment.start_seconds + shoulder - instants[:, None]
    after = instants[:, None] - (segment.end_seconds - shoulder)
    distance = np.maximum(0.0, np.maximum(before, after))
    strength = _CONTROL_DOMINANCE.get(segment.viseme, (_DOMINANCE.get(segment.viseme, 1.0),) * len(CONTROLS))
    return np.asarray(np.array(strength) * np.exp(-((distance / _REACH_SECONDS) ** _FALL_OFF)))


def _frames_of_instants(poses: NDArray[np.float64]) -> NDArray[np.float32]:
    mean = poses.mean(axis=1)
    furthest = np.abs(poses - mean[:, None]).argmax(axis=1)
    extreme = np.take_along_axis(poses, furthest[:, None], axis=1)[:, 0]
    frames = mean.copy()
    frames[:, JAW] += _EXTREME_SHARE * (extreme - mean)[:, JAW]
    frames[:, PRESS] += _EXTREME_SHARE * (poses.max(axis=1) - mean)[:, PRESS]
    return np.asarray(np.clip(frames, 0.0, 1.0), np.float32)
