"""Rendered pictures in, the idle loop out: frames (512,512,3) uint8 RGB.

The head moves as one similarity, so that a mouth can be placed by an affine; below it the motion fades into
the chest's, which only breathes; the wall behind stands still.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.idle_motion import LOOP_FRAMES, breath, lids_at
from services.lipsync.training.framing import EYES, FRAME_PX, MARGIN_PX
from services.lipsync.training.head_pictures import HeadPictures, Pixels, over
from services.lipsync.training.rig import GAZES, LID_STATES
from services.lipsync.training.sway import head_motion

GLANCES = ((24, 45), (88, 107), (166, 181))  # first and last frame away from the viewer, one per gaze
_JUMP_FRAMES = 2  # an eye is there within so many
_HEAD_ENDS_ROW, _CHEST_BEGINS_ROW = 402, 500  # of the frame; between them one motion fades into the other


def gaze_at(frame: int) -> NDArray[np.float32]:
    """(len(GAZES),) how far the eyes have gone to each of GAZES, 0..1."""
    times = [(first - _JUMP_FRAMES, first, last, last + _JUMP_FRAMES) for first, last in GLANCES]
    return np.array([np.interp(frame, glance, (0, 1, 1, 0)) for glance in times], np.float32)


def loop_frames(pictures: HeadPictures) -> Iterator[NDArray[np.uint8]]:
    """Yield LOOP_FRAMES frames."""
    lids = pictures.lids(len(LID_STATES))
    gazes = pictures.gazes(len(GAZES))
    wall = pictures.backdrop[MARGIN_PX : MARGIN_PX + FRAME_PX, MARGIN_PX : MARGIN_PX + FRAME_PX]
    for frame in range(LOOP_FRAMES):
        portrait = pictures.portrait.copy()
        portrait[EYES.rows, EYES.columns, :3] += _lid_change(lids, lids_at(frame))
        portrait[EYES.rows, EYES.columns, :3] += np.tensordot(gaze_at(frame), gazes, 1)
        columns, rows = _sources(frame)
        moved = np.asarray(cv2.remap(portrait, columns, rows, cv2.INTER_CUBIC), np.float32).clip(0, 1)
        yield np.rint(over(moved, wall).clip(0, 1) * 255).astype(np.uint8)


def _lid_change(lids: Pixels, shut: float) -> Pixels:
    """The states before and after `shut`, faded into each other."""
    at = float(np.interp(shut, LID_STATES, range(len(LID_STATES))))
    before = min(int(at), len(LID_STATES) - 2)
    change: Pixels = lids[before] * np.float32(before + 1 - at) + lids[before + 1] * np.float32(at - before)
    return change


def _sources(frame: int) -> tuple[Pixels, Pixels]:
    """For every pixel of the frame, the column and row of the render it comes from."""
    rows, columns = np.mgrid[0:FRAME_PX, 0:FRAME_PX].astype(np.float64)
    back = cv2.invertAffineTransform(head_motion(frame))
    head = back[:, :2] @ np.stack([columns.ravel(), rows.ravel()]) + back[:, 2:]
    head_columns, head_rows = head.reshape(2, FRAME_PX, FRAME_PX)
    chest_share = np.clip((rows - _HEAD_ENDS_ROW) / (_CHEST_BEGINS_ROW - _HEAD_ENDS_ROW), 0, 1)
    chest_share = chest_share * chest_share * (3 - 2 * chest_share)
    chest_columns, chest_rows = columns + MARGIN_PX, rows + MARGIN_PX - breath(frame)
    source_columns = head_columns + chest_share * (chest_columns - head_columns)
    source_rows = head_rows + chest_share * (chest_rows - head_rows)
    return source_columns.astype(np.float32), source_rows.astype(np.float32)
