"""Ava's drawn mouth goes in, what lies behind a portrait's lips comes out: a PNG of cavity and upper teeth.

The two pictures (96, 120) stand one above the other, RGBA, 80 px from one corner of the mouth to the other,
the teeth's lower ends on row 29. `python -m services.lipsync.training.mouth_inside` makes it again.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.avatars import folder_bundle
from services.lipsync.cancellation import Cancellation
from services.lipsync.pose import CONTROLS, JAW
from services.lipsync.sessions import Graph

_SERVING = Path(__file__).parents[1]
FILE = _SERVING / "portrait" / "inside.png"
_ROWS, _COLUMNS = 96, 120
# Measured on Ava's mouth with her jaw down: the distance of its corners, the middle between them, where that
# comes to lie in the canvas, and there what is seen between her lips.
_CORNERS_APART_PX, _CORNERS_MIDDLE, _MIDDLE = 71, np.array([80.0, 57.5]), np.array([60.0, 25.5])
_WIDTH_PX = 80
_CAVITY = [(27, 32), (93, 32), (88, 38), (80, 44), (72, 49), (60, 52), (48, 49), (40, 44), (32, 38)]
_TEETH_ROWS = slice(21, 30)
_TEETH_COLUMNS = slice(27, 92)
_LIP_SHADE_ROWS = 3
_GUM = np.array([0.62, 0.36, 0.36], np.float32)
_ENAMEL = np.array([1.03, 1.0, 0.935], np.float32)


def inside(drawn: NDArray[np.float32]) -> NDArray[np.uint8]:
    """(192, 120, 4) RGBA of Ava's open mouth `drawn`, (160, 160, 3) RGB in 0..1."""
    scale = _WIDTH_PX / _CORNERS_APART_PX
    affine = np.column_stack([scale * np.eye(2), _MIDDLE - scale * _CORNERS_MIDDLE])
    moved = cv2.warpAffine(drawn, affine, (_COLUMNS, _ROWS), flags=cv2.INTER_CUBIC)
    canvas = np.asarray(np.clip(moved, 0, 1), np.float32)
    teeth = _teeth(canvas)
    return np.concatenate([_cavity(canvas, teeth[..., 3]), np.rint(teeth * 255).astype(np.uint8)])


def _teeth(canvas: NDArray[np.float32]) -> NDArray[np.float32]:
    white = np.zeros(canvas.shape[:2], np.float32)
    row = canvas[_TEETH_ROWS, _TEETH_COLUMNS]
    # Lips and tongue are red, teeth are not.
    white[_TEETH_ROWS, _TEETH_COLUMNS] = np.clip((row[..., 1] / row[..., 0] - 0.6) / 0.25, 0, 1)
    colours = canvas.mean(axis=2, keepdims=True) * _ENAMEL
    # The lip's edge lies over the teeth's upper end: they go on above it, into the gum.
    first = _TEETH_ROWS.start + _LIP_SHADE_ROWS
    for above in range(1, first):
        share = np.clip((above - 5) / 3, 0, 1)
        colours[first - above] = colours[first] * (1 - share) + _GUM * share
        white[first - above] = white[first : first + 3].max(axis=0)
    return np.dstack([colours, white]).astype(np.float32)


def _cavity(canvas: NDArray[np.float32], teeth: NDArray[np.float32]) -> NDArray[np.uint8]:
    known = cv2.fillPoly(np.zeros(canvas.shape[:2], np.uint8), [np.array(_CAVITY, np.int32)], 1)
    unknown = np.asarray((known == 0) | (cv2.dilate(teeth, np.ones((3, 3))) > 0.1), np.uint8)
    pixels = np.rint(canvas * 255).astype(np.uint8)
    filled = cv2.inpaint(pixels, unknown, 5, cv2.INPAINT_TELEA)
    return np.dstack([filled, np.full(filled.shape[:2], 255, np.uint8)])


def main() -> None:
    """Writes the file."""
    bundle = folder_bundle(_SERVING / "models" / "avatars" / "ava")
    speak = Graph(bundle.file(bundle.manifest.files.speak), ["CPUExecutionProvider"], "Ava")
    pose = np.zeros((1, len(CONTROLS)), np.float32)
    pose[0, JAW] = 1.0
    drawn = speak.run(pose, Cancellation())[0].transpose(1, 2, 0)
    cv2.imwrite(str(FILE), cv2.cvtColor(inside(drawn), cv2.COLOR_RGBA2BGRA))


if __name__ == "__main__":
    main()
