"""A photo and the face in it go in, a square picture of head and shoulders comes out, with a margin."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

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
    height, width = pixels.shape[:2]
    low, high = face.points.min(axis=0), face.points.max(axis=0)
    face_px = float(max(high[1] - low[1], high[0] - low[0]))
    side = min(face_px / _FACE_SHARE, max(float(min(width, height)), face_px / _LARGEST_FACE_SHARE))
    middle = (low + high) / 2
    corner = middle - side * np.array([0.5, _FACE_MIDDLE])
    corner = np.clip(corner, 0, np.maximum(np.array([width, height]) - side, 0))
    scale = FRAME_PX / side
    affine = np.column_stack([np.eye(2) * scale, (0.5 - corner) * scale - 0.5])
    points = face.points @ affine[:, :2].T + affine[:, 2]
    affine[:, 2] += MARGIN_PX
    source = pixels
    if scale < 0.5:
        # Halving first keeps fine patterns from flickering.
        source = np.asarray(cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        affine = affine @ np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
    whole = FRAME_PX + 2 * MARGIN_PX
    picture = cv2.warpAffine(
        source, affine, (whole, whole), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101
    )
    return Framed(np.asarray(picture, np.uint8), points)
