"""A shipped avatar and its true renders in, how near the drawn mouth comes to them and how it sits out.

Everything is drawn by serving's own code: the bundle's graph, and the compositor that puts mouths on frames.
"""

from dataclasses import dataclass
from itertools import pairwise

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.pose import CONTROLS
from services.lipsync.training.mouth_poses import Poses
from services.lipsync.training.picture_measures import (
    Pixels,
    decibels,
    gradient_deviation,
    sharpness,
    structural_similarity,
)

_MOVES = 0.06  # of the full range: what changes by more than this from rest moves
_RING_PX = 16  # at the crop's edge, inside: where a box would show
_SMOOTHING_PX = 9  # noise of encoder and resampling averages out within it, a step of colour does not


@dataclass(frozen=True)
class Likeness:
    """Drawn mouths against true ones, means over all but for the worst of them; see `picture_measures`."""

    decibels: float
    worst_decibels: float
    moving_decibels: float
    resting_decibels: float
    similarity: float
    deviation: float
    sharpness: float


@dataclass(frozen=True)
class Fit:
    """How a resting mouth sits on the idle loop, in levels of 255.

    `jump` is the mean change of a pixel from the loop to the drawn mouth, `step` the largest of a patch of
    colour at the crop's edge. `flicker` is the mean change from frame to frame where nothing but the head
    moves, `idle_flicker` that of the loop itself.
    """

    jump: float
    step: float
    flicker: float
    idle_flicker: float


def drawn_mouths(avatar: Avatar, poses: Poses) -> Pixels:
    """(N,7) → (N,S,S,3) RGB 0..1."""
    drawn: Pixels = avatar.speak.run(poses, Cancellation()).transpose(0, 2, 3, 1)
    return drawn


def likeness(drawn: Pixels, true: Pixels, resting: Pixels) -> Likeness:
    """Compare (N,S,S,3) pictures; `resting` (S,S,3) is what a mouth that never moves would show."""
    moving = [np.abs(picture - resting).max(-1) > _MOVES for picture in true]
    pairs = list(zip(drawn, true, strict=True))
    open_pairs = [(*pair, where) for pair, where in zip(pairs, moving, strict=True) if where.any()]
    of_pairs = [decibels(*pair) for pair in pairs]
    return Likeness(
        decibels=_mean_decibels(of_pairs),
        worst_decibels=min(of_pairs),
        moving_decibels=_mean_decibels([decibels(*pair) for pair in open_pairs]),
        resting_decibels=_mean_decibels([decibels(resting, picture) for picture in true]),
        similarity=float(np.mean([structural_similarity(*pair) for pair in pairs])),
        deviation=float(np.mean([gradient_deviation(*pair) for pair in pairs])),
        sharpness=float(np.mean([sharpness(*pair) for pair in open_pairs])),
    )


def fit(avatar: Avatar) -> Fit:
    """Put the resting mouth on every frame of the loop and compare each with the frame itself."""
    resting = avatar.speak.run(np.zeros((1, len(CONTROLS)), np.float32), Cancellation())[0]
    size = avatar.manifest.mouth.size_px
    ring = np.ones((size, size), bool)
    ring[_RING_PX:-_RING_PX, _RING_PX:-_RING_PX] = False
    drawn, idle = [], []
    for position, placement in enumerate(avatar.manifest.mouth.placement):
        affine = np.array(placement).reshape(2, 3)
        drawn.append(_crop(_planes(avatar.picture(resting, position)), affine, size))
        idle.append(_crop(avatar.frame(position), affine, size))
    changes = [one - other for one, other in zip(drawn, idle, strict=True)]
    steps = [np.abs(cv2.blur(change, (_SMOOTHING_PX, _SMOOTHING_PX)))[ring].max() for change in changes]
    return Fit(
        jump=float(np.mean([np.abs(change).mean() for change in changes])),
        step=float(np.max(steps)),
        flicker=_flicker(drawn),
        idle_flicker=_flicker(idle),
    )


def _mean_decibels(values: list[float]) -> float:
    """The PSNR of the mean error."""
    return float(-10 * np.log10(np.mean([10 ** (-value / 10) for value in values])))


def _flicker(crops: list[Pixels]) -> float:
    return float(np.mean([np.abs(after - before).mean() for before, after in pairwise(crops)]))


def _planes(picture: av.VideoFrame) -> NDArray[np.uint8]:
    return np.asarray(picture.to_ndarray(), np.uint8)


def _crop(planes: NDArray[np.uint8], affine: NDArray[np.float64], size: int) -> Pixels:
    """(S,S,3) RGB 0..255 of what lies under the mouth's crop, moved back into its pixels."""
    picture = cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420).astype(np.float32)
    back = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(picture, affine, (size, size), flags=back), np.float32)
