"""A framed photo goes in, the same photo with its lids shut by any share comes out.

The skin above an eye is drawn down over it; where the eyes are nearly shut already, nothing happens.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.face import EYE_LIDS, Points
from services.lipsync.portrait.framing import MARGIN_PX, Framed
from services.lipsync.portrait.photo import Pixels

Plane = NDArray[np.float64]

# Of an eye's width: less open than this, and there is nothing to shut.
_LEAST_OPEN = 0.12
_ABOVE, _BESIDE = 0.85, 0.35
# The lashes' line ends a little above where the lower lid begins.
_FARTHEST = 0.92


@dataclass(frozen=True, slots=True)
class _Eye:
    rows: slice
    columns: slice
    x: Plane
    y: Plane
    down: Points
    drop_px: Plane
    below_lid_px: Plane


class Lids:
    """The two eyes of one picture."""

    def __init__(self, framed: Framed) -> None:
        self._framed = framed
        eyes = (_eye(framed.points, upper, lower) for upper, lower in EYE_LIDS)
        self._eyes = [eye for eye in eyes if eye is not None]

    def shut(self, share: float) -> Pixels:
        """The picture, margin and all, with its lids shut by `share` of 0..1."""
        if share <= 0 or not self._eyes:
            return self._framed.pixels
        pixels = self._framed.pixels.copy()
        for eye in self._eyes:
            moved = share * eye.drop_px
            columns = (eye.x - moved * eye.down[0]).astype(np.float32)
            rows = (eye.y - moved * eye.down[1]).astype(np.float32)
            skin = cv2.remap(self._framed.pixels, columns, rows, cv2.INTER_CUBIC)
            cover = np.clip(0.5 - (eye.below_lid_px - moved), 0, 1)[..., None]
            seen = pixels[eye.rows, eye.columns]
            seen[:] = np.rint(seen + (skin.astype(np.float64) - seen) * cover)
        return pixels


def _eye(points: Points, upper: tuple[int, ...], lower: tuple[int, ...]) -> _Eye | None:
    above, below = points[list(upper)] + MARGIN_PX, points[list(lower)] + MARGIN_PX
    middle = (above[0] + above[-1]) / 2
    across = above[-1] - above[0]
    width = float(np.linalg.norm(across))
    across = across / width
    down = np.array([-across[1], across[0]])
    lid, floor = (np.polyfit((line - middle) @ across, (line - middle) @ down, 4) for line in (above, below))
    if np.polyval(floor, 0) - np.polyval(lid, 0) < _LEAST_OPEN * width:
        return None
    reach = (0.5 + _BESIDE) * width
    left, top = np.floor(middle - reach - 2).astype(int)
    right, bottom = np.ceil(middle + reach + 2).astype(int)
    x, y = np.meshgrid(np.arange(left, right, dtype=np.float64), np.arange(top, bottom, dtype=np.float64))
    u = (x - middle[0]) * across[0] + (y - middle[1]) * across[1]
    v = (x - middle[0]) * down[0] + (y - middle[1]) * down[1]
    within = np.clip(u, -width / 2, width / 2)
    lid_line, floor_line = np.polyval(lid, within), np.polyval(floor, within)
    open_px = np.clip(floor_line - lid_line, 0, None) * (np.abs(u) <= width / 2)
    fading = np.clip(1 + (v - lid_line) / (_ABOVE * width / 2), 0, 1)
    drop = _FARTHEST * open_px * fading * fading * (3 - 2 * fading)
    return _Eye(slice(top, bottom), slice(left, right), x, y, down, drop, v - lid_line)
