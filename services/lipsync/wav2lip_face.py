"""An avatar goes in; what an imported network sees of it and where the drawn half face belongs come out.

The network sees one picture of the loop, its first: the mouth rests, the eyes are open. The drawn half face
then moves as the avatar's own mouth does in the loop, so head and mouth stay together. Seeing every picture
of the loop would cost 3 MB and 0.1 s each, and skin and teeth would flicker from frame to frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar
from services.lipsync.compositor import Compositor
from services.lipsync.manifests import Affine

FACE_PX = 96
FIRST_DRAWN_ROW = 48
_FEATHER_PX = 8


@dataclass(frozen=True, slots=True)
class _LowerHalf:
    """A `Crop`: rows 48 to 95 of the face."""

    placement: tuple[Affine, ...]
    shape_px: tuple[int, int] = (FACE_PX - FIRST_DRAWN_ROW, FACE_PX)
    feather_px: int = _FEATHER_PX


def seen_face(avatar: Avatar) -> NDArray[np.float32]:
    """(1, 6, 96, 96) in 0..1: the face in BGR with its lower half black, then the whole face."""
    picture = cv2.cvtColor(avatar.frame(0), cv2.COLOR_YUV2BGR_I420)
    # Drawn at twice the size and averaged: a crop several times smaller would shimmer.
    fine = cv2.warpAffine(
        picture,
        _onto_frame(avatar, 2 * FACE_PX),
        (2 * FACE_PX, 2 * FACE_PX),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    face = cv2.resize(fine, (FACE_PX, FACE_PX), interpolation=cv2.INTER_AREA)
    whole = face.astype(np.float32).transpose(2, 0, 1) / np.float32(255)
    masked = whole.copy()
    masked[:, FIRST_DRAWN_ROW:] = 0
    return np.concatenate([masked, whole])[None]


def lower_half_compositor(avatar: Avatar) -> Compositor:
    """Puts rows 48 to 95 of the face onto the avatar's frames."""
    rows_down = np.array([[1, 0, 0], [0, 1, FIRST_DRAWN_ROW], [0, 0, 1]], np.float64)
    crop = _square(_onto_frame(avatar, FACE_PX)) @ rows_down
    places = [_square(np.array(one, np.float64).reshape(2, 3)) for one in avatar.manifest.mouth.placement]
    first = np.linalg.inv(places[0])
    moved = tuple(_affine(place @ first @ crop) for place in places)
    return Compositor(_LowerHalf(moved), avatar.size)


def _onto_frame(avatar: Avatar, size_px: int) -> NDArray[np.float64]:
    """The 2x3 way of a square crop of the face to the first frame, pixel centres at integers."""
    left, top, width, height = avatar.manifest.face_box_px
    across, down = width / size_px, height / size_px
    return np.array([[across, 0, left + across / 2 - 0.5], [0, down, top + down / 2 - 0.5]], np.float64)


def _affine(square: NDArray[np.float64]) -> Affine:
    a, b, c, d, e, f = square[:2].ravel().tolist()
    return a, b, c, d, e, f


def _square(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([affine, (0.0, 0.0, 1.0)])
