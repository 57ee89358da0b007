"""A loop frame's number in, where an avatar's head has moved out: `idle_motion` in the render's pixels."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync import idle_motion
from services.lipsync.training.framing import MARGIN_PX, Box

_NECK_PX = (280.0, 452.0)  # in the render: what the head turns about

Affine = NDArray[np.float64]


def head_motion(frame: int) -> Affine:
    """(2,3) similarity from the render's pixels to the frame's: tilt about the neck, sway, and breath."""
    motion = idle_motion.head_motion(frame, _NECK_PX)
    motion[:, 2] -= MARGIN_PX
    return motion


def placement(frame: int, box: Box) -> Affine:
    """(2,3) from pixels of a crop `box` of the render to pixels of the frame."""
    motion = head_motion(frame)
    return np.column_stack([motion[:, :2], motion @ np.array([box.x, box.y, 1.0])])
