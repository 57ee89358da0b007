"""A clip's pictures go in, the points of its one face in each come out; lips that move are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.clip import Clip
from services.lipsync.portrait.face import (
    EYE_LIDS,
    LEFT_CORNER,
    LOWER_INNER,
    RIGHT_CORNER,
    UPPER_INNER,
    Points,
    only_face,
)
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.photo import UnusablePortrait

Series = NDArray[np.float64]

# Of the distance between the eyes' outer corners. Silent faces stayed below 0.02 and 0.04; all that spoke for
# two seconds passed 0.08 in opening.
_MOST_OPENING, _MOST_WIDENING = 0.05, 0.07
# However long the mouth is open, it is shut for a few pictures in between.
_SHUT_PERCENTILE = 5
_MIDDLE = len(UPPER_INNER) // 2


@dataclass(frozen=True, slots=True)
class FollowedFace:
    """`points` (N, 468, 2) of the mesh in each of a clip's N pictures of one size."""

    points: Points
    width_px: int
    height_px: int


def followed_face(clip: Clip, models: FaceModels, seen: Callable[[int], None]) -> FollowedFace:
    """The face in each of the clip's pictures; `seen` is told how many were looked at.

    Raises:
        UnusablePortrait: in some picture there is not one usable face, or its mouth moves. Says when.
    """
    faces = []
    height = width = 0
    for number, pixels in enumerate(clip.pictures()):
        seen(number)
        height, width = pixels.shape[:2]
        try:
            faces.append(only_face(pixels, models).points)
        except UnusablePortrait as refusal:
            raise UnusablePortrait(f"At {clip.time_of(number):.1f} s of the clip: {refusal}") from None
    points = np.stack(faces)
    _check_quiet(points, clip)
    return FollowedFace(points, width, height)


def eyes_open(points: Points) -> Series:
    """How far the eyes are open in each of N pictures, as a share of how far they mostly are."""
    gaps = sum(
        np.linalg.norm(points[:, upper[len(upper) // 2]] - points[:, lower[len(lower) // 2]], axis=1)
        for upper, lower in EYE_LIDS
    )
    opened = np.asarray(gaps) / _eye_distance(points)
    return np.asarray(opened / max(float(np.median(opened)), 1e-6))


def _check_quiet(points: Points, clip: Clip) -> None:
    unit = _eye_distance(points)
    opening = _distance(points, UPPER_INNER[_MIDDLE], LOWER_INNER[_MIDDLE]) / unit
    width = _distance(points, LEFT_CORNER, RIGHT_CORNER) / unit
    opened, widened = _steady(opening), _steady(width)
    moved = np.maximum(
        (opened - np.percentile(opened, _SHUT_PERCENTILE)) / _MOST_OPENING,
        np.abs(widened - np.median(widened)) / _MOST_WIDENING,
    )
    most = int(np.argmax(moved))
    if moved[most] > 1:
        raise UnusablePortrait(
            f"At {clip.time_of(most):.1f} s of the clip the mouth moves. "
            "Send a clip of somebody who is silent all along, the lips closed."
        )


def _steady(series: Series) -> Series:
    """Without what lasts for one picture only: that is the mesh's noise."""
    padded = np.pad(series, 1, mode="edge")
    return np.asarray(np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0))


def _eye_distance(points: Points) -> Series:
    return _distance(points, EYE_LIDS[0][0][0], EYE_LIDS[1][0][-1])


def _distance(points: Points, one: int, other: int) -> Series:
    return np.asarray(np.linalg.norm(points[:, one] - points[:, other], axis=1))
