"""A drawn mouth and a frame of the loop go in, a finished picture comes out; only the mouth's region changes.

All blending happens in I420 (BT.601, limited range), the encoder's own format: converting one crop costs less
than converting every frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.fragments import Size
from services.lipsync.manifests import Affine

# A render has one thread of its own; OpenCV's pool would take cores that other renders count on.
cv2.setNumThreads(1)

# ITU-R BT.601, limited range: rows are Y, Cb, Cr of R, G, B in 0..1.
_YCBCR_OF_RGB = np.array(
    [[65.481, 128.553, 24.966], [-37.797, -74.203, 112.0], [112.0, -93.786, -18.214]], np.float32
)
_YCBCR_OFFSET = np.array([[16.0], [128.0], [128.0]], np.float32)


class Crop(Protocol):
    """What is drawn onto the frames."""

    @property
    def shape_px(self) -> tuple[int, int]:
        """Height and width, both even."""

    @property
    def feather_px(self) -> int:
        """How wide its edges fade."""

    @property
    def placement(self) -> Sequence[Affine]:
        """Its place on each frame of the loop."""


@dataclass(frozen=True, slots=True)
class _Patch:
    """Where a crop lands on one plane: the region's corner and size, and the crop's way into it.

    How the crop's `feather` falls there is worked out for every picture: kept for all the frames of a loop it
    would take 8 MB per avatar, and it costs a hundredth of a picture's time.
    """

    x: int
    y: int
    size: tuple[int, int]
    affine: NDArray[np.float32]
    feather: NDArray[np.float32]

    def blend(self, plane: NDArray[np.uint8], crop: NDArray[np.float32]) -> None:
        width, height = self.size
        region = plane[self.y : self.y + height, self.x : self.x + width]
        change = self._placed(crop, cv2.BORDER_REPLICATE)
        change -= region
        change *= self._placed(self.feather, cv2.BORDER_CONSTANT)
        change += region
        np.rint(change, out=change)
        np.clip(change, 0, 255, out=change)
        region[:] = change

    def _placed(self, crop: NDArray[np.float32], border: int) -> NDArray[np.float32]:
        placed = cv2.warpAffine(crop, self.affine, self.size, flags=cv2.INTER_LINEAR, borderMode=border)
        return np.asarray(placed, np.float32)


class Compositor:
    """Puts mouths of one avatar onto its frames. Safe to share between threads."""

    def __init__(self, mouth: Crop, size: Size) -> None:
        """`mouth` has a placement for each frame of the loop, `size` is that of the frames."""
        self._height, self._width = size.height_px, size.width_px
        self._crop_height, self._crop_width = mouth.shape_px
        feather = feathered(mouth.shape_px, mouth.feather_px)
        self._patches = [self._placed(placement, feather) for placement in mouth.placement]

    def picture(self, frame: NDArray[np.uint8], mouth: NDArray[np.float32], position: int) -> av.VideoFrame:
        """The loop's frame `position` (modulo its length) with `mouth`, RGB in 0..1, as yuv420p.

        `frame` is (height * 3 / 2, width) I420 and stays as it is.
        """
        picture = av.VideoFrame(self._width, self._height, "yuv420p")
        luma, blue, red = (_pixels(plane) for plane in picture.planes)
        chroma = frame[self._height :].reshape(2, self._height // 2, self._width // 2)
        luma[:], blue[:], red[:] = frame[: self._height], chroma[0], chroma[1]
        bright, coloured = self._patches[position % len(self._patches)]
        ycbcr = _YCBCR_OF_RGB @ mouth.reshape(3, -1)
        ycbcr += _YCBCR_OFFSET
        planes = ycbcr.reshape(mouth.shape)
        bright.blend(luma, planes[0])
        half = (self._crop_width // 2, self._crop_height // 2)
        for plane, crop in ((blue, planes[1]), (red, planes[2])):
            small = cv2.resize(crop, half, interpolation=cv2.INTER_AREA)
            coloured.blend(plane, np.asarray(small, np.float32))
        return picture

    def _placed(self, placement: Affine, feather: NDArray[np.float32]) -> tuple[_Patch, _Patch]:
        affine = np.array(placement, np.float64).reshape(2, 3)
        right, bottom = self._crop_width - 1, self._crop_height - 1
        corners = affine @ np.array([[0, right, 0, right], [0, 0, bottom, bottom], [1, 1, 1, 1]], np.float64)
        low = np.maximum(np.floor(corners.min(axis=1)).astype(int), 0) // 2 * 2
        high = np.minimum(np.ceil(corners.max(axis=1)).astype(int) + 2, (self._width, self._height)) // 2 * 2
        size = np.maximum(high - low, 2)
        low = np.minimum(low, np.array((self._width, self._height)) - size)
        half = affine.copy()
        # A chroma sample lies in the middle of its four pixels, of the crop as of the frame.
        half[:, 2] = (affine[:, :2] @ (0.5, 0.5) + affine[:, 2] - 0.5) / 2
        quarter = feather.reshape(self._crop_height // 2, 2, self._crop_width // 2, 2).mean(axis=(1, 3))
        return _patch(affine, low, size, feather), _patch(half, low // 2, size // 2, quarter)


def feathered(shape_px: tuple[int, ...], feather_px: int) -> NDArray[np.float32]:
    """Weights (height, width) of a crop: 1 inside, falling to 0 at its edges."""
    down, across = (_ramp(size, feather_px) for size in shape_px)
    return np.outer(down, across).astype(np.float32)


def _ramp(size: int, width: int) -> NDArray[np.float32]:
    """Weights 0 at both ends, 1 from `width` pixels inside on; a smoothstep shows no line."""
    distance = np.minimum(np.arange(size), np.arange(size)[::-1]).astype(np.float32) / np.float32(width)
    ramp = np.clip(distance, 0, 1)
    smooth: NDArray[np.float32] = ramp * ramp * (3 - 2 * ramp)
    return smooth


def _patch(
    affine: NDArray[np.float64], low: NDArray[np.int_], size: NDArray[np.int_], feather: NDArray[np.float32]
) -> _Patch:
    inside = affine.copy()
    inside[:, 2] -= low
    return _Patch(int(low[0]), int(low[1]), (int(size[0]), int(size[1])), inside.astype(np.float32), feather)


def _pixels(plane: av.video.plane.VideoPlane) -> NDArray[np.uint8]:
    """A writable view of the plane without the padding at the end of its lines."""
    lines: NDArray[np.uint8] = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
    return lines[: plane.height, : plane.width]
