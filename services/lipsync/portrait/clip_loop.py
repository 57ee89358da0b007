"""A face's points in every picture of a clip go in, the stretch that makes the best loop comes out.

The stretch is played forth and back. Where it turns the head is nearly still, so that nobody sees the turn.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.clip_faces import eyes_open
from services.lipsync.portrait.face import Points

Series = NDArray[np.float64]

# Forth and back as long as the loops that ship.
MOST_FORTH_FRAMES = 101
_SHORTEST_SHARE = 0.7
# What a stretch of half the length costs, in pixels per frame at its ends.
_LENGTH_COST = 0.6
_SMOOTHED_OVER = 5
# A reply begins in the loop's first frame, and a poster is made of it: with open eyes.
_LEAST_OPEN = 0.85


def best_stretch(points: Points) -> slice:
    """Which of N pictures to show, of the face's points (N, 468, 2) in the frame's pixels."""
    count = len(points)
    longest = min(MOST_FORTH_FRAMES, count)
    speeds = _speeds(points)
    open_eyed = eyes_open(points) >= _LEAST_OPEN
    first, last = np.meshgrid(np.arange(count), np.arange(count), indexing="ij")
    length = last - first + 1
    cost = speeds[first] + speeds[last] + _LENGTH_COST * (longest - length) / longest
    allowed = (length <= longest) & (length >= _SHORTEST_SHARE * longest)
    # The median makes sure that half the pictures are open-eyed, not that one of them can begin a stretch.
    begins = allowed & open_eyed[first]
    cost[~(begins if begins.any() else allowed)] = np.inf
    start, end = np.unravel_index(int(np.argmin(cost)), cost.shape)
    return slice(int(start), int(end) + 1)


def forth_and_back(count: int) -> list[int]:
    """The order in which `count` pictures make a loop: neither end is shown twice."""
    return [*range(count), *range(count - 2, 0, -1)]


def _speeds(points: Points) -> Series:
    """How far the face moves in each picture, pixels per frame; the mesh's own tremble is smoothed away."""
    reach = _SMOOTHED_OVER // 2
    flat = np.pad(points.reshape(len(points), -1), ((reach, reach), (0, 0)), mode="edge")
    smooth = np.lib.stride_tricks.sliding_window_view(flat, _SMOOTHED_OVER, axis=0).mean(axis=-1)
    velocity = np.gradient(smooth, axis=0).reshape(points.shape)
    return np.asarray(np.linalg.norm(velocity, axis=2).mean(axis=1))
