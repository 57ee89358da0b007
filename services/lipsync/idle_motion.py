"""A loop frame's number in; how far head, chest and lids have moved out; the last frame flows into the first.

Every motion is a sum of sines whose periods divide the loop, so position and speed are equal at both ends.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LOOP_FRAMES = 200
BLINK_STARTS = (58, 143)  # irregular, and far from the loop's joint
BLINK = (0.30, 0.80, 1.0, 1.0, 0.80, 0.50, 0.25, 0.10)  # lids shut fast and open slowly


@dataclass(frozen=True)
class Sine:
    """`turns` whole periods a loop, `phase` in turns."""

    amount: float
    turns: int
    phase: float


_TILT_DEGREES = (Sine(0.55, 1, 0.10), Sine(0.30, 2, 0.62), Sine(0.10, 5, 0.35))
_ACROSS_PX = (Sine(0.8, 1, 0.30), Sine(0.5, 3, 0.05))
_DOWN_PX = (Sine(0.5, 2, 0.45), Sine(0.45, 3, 0.80))
_SCALE = (Sine(0.0025, 1, 0.55), Sine(0.0012, 2, 0.15))
_BREATH_PX = (Sine(0.9, 2, 0.75),)


def head_motion(frame: int, neck: tuple[float, float]) -> NDArray[np.float64]:
    """(2, 3) similarity of the head's pixels: tilt about the neck, sway, and breath."""
    tilt = math.radians(_at(_TILT_DEGREES, frame))
    scale = 1 + _at(_SCALE, frame)
    turn = scale * np.array([[math.cos(tilt), -math.sin(tilt)], [math.sin(tilt), math.cos(tilt)]])
    about = np.array(neck)
    shift = np.array([_at(_ACROSS_PX, frame), _at(_DOWN_PX, frame) + 0.5 * breath(frame)])
    return np.column_stack([turn, about - turn @ about + shift])


def breath(frame: int) -> float:
    """How many pixels the chest has sunk below its middle position."""
    return _at(_BREATH_PX, frame)


def lids_at(frame: int) -> float:
    """How far the lids are shut, 0..1."""
    for start in BLINK_STARTS:
        if 0 <= frame - start < len(BLINK):
            return BLINK[frame - start]
    return 0.0


def _at(sines: Sequence[Sine], frame: int) -> float:
    turned = frame % LOOP_FRAMES / LOOP_FRAMES
    return sum(sine.amount * math.sin(2 * math.pi * (sine.turns * turned + sine.phase)) for sine in sines)
