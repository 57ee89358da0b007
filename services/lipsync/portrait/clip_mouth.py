"""A picture's mouth goes in, where it lies in other pictures of the same head comes out, to 0.1 px.

The mesh says roughly where, trembling by half a pixel; the pictures themselves then say it exactly.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.face import Points
from services.lipsync.portrait.framing import MARGIN_PX, Framed
from services.lipsync.portrait.mouth_place import MouthPlace
from services.lipsync.portrait.photo import Pixels

Way = NDArray[np.float64]

_STEPS, _PRECISION = 30, 1e-4
# Where light or cloth misled it, the pictures' answer is far from the mesh's.
_MOST_APART_PX = 5.0
# The mesh's points as far around the crop as this tell how the head lies.
_AROUND_PX = 24


class MouthTrack:
    """The mouth of one picture, to be found again in others."""

    def __init__(self, picture: Framed, mouth: MouthPlace) -> None:
        """`mouth` is that of `picture`."""
        self._corner = np.array([mouth.left, mouth.top], np.float64)
        self._size = mouth.size_px
        low, high = self._corner - _AROUND_PX, self._corner + mouth.size_px + _AROUND_PX
        self._near = ((picture.points > low) & (picture.points < high)).all(axis=1)
        self._points = picture.points[self._near] - self._corner
        # Beyond the picture's edge the crop shows the nearest pixels.
        self._shown = _brightness(
            np.asarray(
                cv2.warpAffine(
                    picture.pixels,
                    np.column_stack([np.eye(2), self._corner + MARGIN_PX]),
                    (self._size, self._size),
                    flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                    borderMode=cv2.BORDER_REPLICATE,
                ),
                np.uint8,
            )
        )

    def found(self, picture: Framed) -> Way:
        """The way (2, 3) of the crop's pixels to another picture's frame."""
        rough = self._from_mesh(picture.points[self._near])
        placed = np.ascontiguousarray(rough, np.float32)
        placed[:, 2] += MARGIN_PX
        criteria = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, _STEPS, _PRECISION)
        try:
            _, exact = cv2.findTransformECC(
                self._shown, _brightness(picture.pixels), placed, cv2.MOTION_AFFINE, criteria
            )
        except cv2.error:
            return rough
        way = np.asarray(exact, np.float64)
        way[:, 2] -= MARGIN_PX
        far = self._size - 1
        corners = np.array([[0, far, 0, far], [0, 0, far, far], [1, 1, 1, 1]], np.float64)
        apart = np.linalg.norm((way - rough) @ corners, axis=0).max()
        return way if apart < _MOST_APART_PX else rough

    def _from_mesh(self, points: Points) -> Way:
        known = np.column_stack([self._points, np.ones(len(self._points))])
        solved, *_ = np.linalg.lstsq(known, points, rcond=None)
        return np.asarray(solved.T)


def _brightness(pixels: Pixels) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.float32)
