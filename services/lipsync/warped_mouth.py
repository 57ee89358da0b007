"""Poses go in, a photo's mouth comes out, warped: contract warp/1, what a portrait has in place of a graph.

A file of the contract holds four arrays, S the crop's size, s = S / 4, displacements in pixels of the crop:

- `lips` uint8 (2, S, S, 4): upper and lower face, RGBA; the lower one has a hole where the mouth can open.
- `inside` uint8 (2, S, S, 4): the cavity, which moves with the jaw, and the upper teeth, which do not.
- `skin` float16 (7, s, s, 2): how far each control at 1 moves the whole face, at the place it moves to.
- `moves` float16 (3, 7, s, s, 2): how far each control moves upper face, lower face and cavity before that.
"""

from __future__ import annotations

import io
import zipfile
from typing import TypeVar, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.manifests import ModelError
from services.lipsync.pose import CONTROLS

CONTRACT = "warp/1"
FIELD_STEP_PX = 4

Field = NDArray[np.float32]
Layer = NDArray[np.uint8]
Picture = TypeVar("Picture", Field, Layer)
# One map holds both coordinates; OpenCV's types have no word for it.
_NO_SECOND_MAP = cast("Field", None)


class WarpedMouth:
    """Draws one portrait's mouth. Several threads may call it at once."""

    def __init__(self, data: bytes, size_px: int, where: str) -> None:
        """`where` names the file in errors.

        Raises:
            ModelError: not a file of this contract, or of another size.
        """
        small = size_px // FIELD_STEP_PX
        shapes = {
            "lips": (np.dtype(np.uint8), (2, size_px, size_px, 4)),
            "inside": (np.dtype(np.uint8), (2, size_px, size_px, 4)),
            "skin": (np.dtype(np.float16), (len(CONTROLS), small, small, 2)),
            "moves": (np.dtype(np.float16), (3, len(CONTROLS), small, small, 2)),
        }
        arrays = _arrays(data, where)
        if {name: (array.dtype, array.shape) for name, array in arrays.items()} != shapes:
            raise ModelError(
                f"{where} does not hold the arrays of {CONTRACT} for {size_px} px. Build it again."
            )
        self._size = size_px
        self._lips, self._inside = arrays["lips"], arrays["inside"]
        self._skin = arrays["skin"].astype(np.float32).reshape(len(CONTROLS), -1)
        self._moves = arrays["moves"].astype(np.float32).reshape(3, len(CONTROLS), -1)
        if not (np.isfinite(self._skin).all() and np.isfinite(self._moves).all()):
            raise ModelError(f"{where} holds numbers that are not finite. Build it again.")
        self._mouth_box = _mouth_box(self._lips[1][..., 3] < 255, self._skin, self._moves[1])
        self._grid = _grid(size_px)
        self._small_grid = _grid(small)

    def run(self, batch: NDArray[np.float32], cancellation: Cancellation) -> NDArray[np.float32]:
        """Mouths (N, 3, S, S), RGB in 0..1, of poses (N, 7).

        Raises:
            Cancelled: `cancellation` was set.
        """
        mouths = np.empty((len(batch), 3, self._size, self._size), np.float32)
        for mouth, pose in zip(mouths, batch, strict=True):
            cancellation.check()
            mouth[:] = self._drawn(pose).transpose(2, 0, 1)
        return mouths

    def _drawn(self, pose: NDArray[np.float32]) -> NDArray[np.float32]:
        small = len(self._small_grid)
        skin = (pose @ self._skin).reshape(small, small, 2)
        before_skin = self._small_grid - skin / np.float32(FIELD_STEP_PX)
        upper, lower, cavity = (
            _remapped((pose @ moves).reshape(small, small, 2), before_skin) for moves in self._moves
        )
        below = _remapped(self._lips[1], self._sources(skin + lower))
        drawn = below.astype(np.float32)
        # Elsewhere the lower face hides all that is behind it, and moves as the upper one does.
        box = self._mouth_box
        seen = _remapped(self._inside[0], self._sources(cavity)[box])
        seen = _pasted(seen, self._inside[1][box])
        seen = _pasted(seen, below[box])
        drawn[box] = _pasted(seen, _remapped(self._lips[0], self._sources(skin + upper)[box]))
        drawn *= np.float32(1 / 255)
        colours: Field = drawn[..., :3]
        return colours

    def _sources(self, moved: Field) -> Field:
        """Where every pixel of the crop comes from."""
        size = (self._size, self._size)
        return self._grid - np.asarray(cv2.resize(moved, size, interpolation=cv2.INTER_LINEAR), np.float32)


def _mouth_box(hole: NDArray[np.bool_], skin: Field, lower: Field) -> tuple[slice, slice]:
    """Rows and columns that the hole in the lower face can ever come to."""
    rows, columns = np.flatnonzero(hole.any(axis=1)), np.flatnonzero(hole.any(axis=0))
    if not len(rows):
        return slice(0, 0), slice(0, 0)
    # Controls add up.
    most = np.ceil(np.abs(skin.reshape(len(CONTROLS), -1, 2)).max(axis=1).sum(axis=0))
    most += np.ceil(np.abs(lower.reshape(len(CONTROLS), -1, 2)).max(axis=1).sum(axis=0))
    across, down = most.astype(int)
    return (
        slice(max(rows[0] - down, 0), rows[-1] + down + 1),
        slice(max(columns[0] - across, 0), columns[-1] + across + 1),
    )


def _pasted(under: Field | Layer, over: Layer) -> Field:
    # All four channels at once: NumPy converts and adds whole lines many times faster than parts of pixels.
    below, above = under.astype(np.float32, copy=False), over.astype(np.float32)
    share = above[..., 3:] * np.float32(1 / 255)
    above -= below
    above *= share
    above += below
    return above


def _remapped(pixels: Picture, sources: Field) -> Picture:
    taken = cv2.remap(pixels, sources, _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("Picture", taken)


def _grid(size: int) -> Field:
    return np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).astype(np.float32)


def _arrays(data: bytes, where: str) -> dict[str, NDArray[np.generic]]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            # Stored as they are: what is unpacked cannot be larger than what came.
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
        if stored:
            with np.load(io.BytesIO(data), allow_pickle=False) as file:
                return dict(file)
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError):
        pass
    raise ModelError(f"{where} is not an uncompressed .npz file. Build it again.")
