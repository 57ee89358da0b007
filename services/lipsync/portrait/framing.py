"""A photo and the face in it go in, a square picture of head and shoulders comes out, with a margin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.face import CHIN, FOREHEAD, Face, Points
from services.lipsync.portrait.photo import Pixels

FRAME_PX = 512
MARGIN_PX = 16
_FACE_SHARE, _FACE_MIDDLE = 0.42, 0.48
_LARGEST_FACE_SHARE = 0.62


@dataclass(frozen=True, slots=True)
class Framed:
    """`pixels` (544, 544, 3) RGB: the frame and 16 px around it; `points` (468, 2): the mesh in the frame."""

    pixels: Pixels
    points: Points

    @property
    def neck(self) -> tuple[float, float]:
        """What the head turns about."""
        down = self.points[CHIN] - self.points[FOREHEAD]
        across, below = self.points[CHIN] + 0.45 * down
        return float(across), float(below)


def framed(pixels: Pixels, face: Face) -> Framed:
    """The picture around `face`: as much of head and shoulders as the photo holds, else its edge mirrored."""
    way = framing(pixels.shape[1], pixels.shape[0], face.points)
    return Framed(cropped(pixels, way), in_frame(face.points, way))


def framing(width: int, height: int, points: Points) -> NDArray[np.float64]:
    """The way (2, 3) of a picture's pixels to the frame's, for a face of `points` (468, 2)."""
    low, high = points.min(axis=0), points.max(axis=0)
    face_px = float(max(high[1] - low[1], high[0] - low[0]))
    side = min(face_px / _FACE_SHARE, max(float(min(width, height)), face_px / _LARGEST_FACE_SHARE))
    middle = (low + high) / 2
    corner = middle - side * np.array([0.5, _FACE_MIDDLE])
    corner = np.clip(corner, 0, np.maximum(np.array([width, height]) - side, 0))
    scale = FRAME_PX / side
    return np.column_stack([np.eye(2) * scale, (0.5 - corner) * scale - 0.5])


def in_frame(points: Points, way: NDArray[np.float64]) -> Points:
    """Points (…, 2) of a picture in the frame's pixels."""
    return np.asarray(points @ way[:, :2].T + way[:, 2])


def cropped(pixels: Pixels, way: NDArray[np.float64]) -> Pixels:
    """(544, 544, 3): what the frame holds of a picture, and 16 px around it."""
    affine = way.copy()
    affine[:, 2] += MARGIN_PX
    source = pixels
    if affine[0, 0] < 0.5:
        # Halving first keeps fine patterns from flickering.
        source = np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        affine = affine @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    whole = FRAME_PX + 2 * MARGIN_PX
    picture = cv2.warpAffine(
        source, affine, (whole, whole), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(picture, np.uint8)
