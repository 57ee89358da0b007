"""The network's raw poses of an utterance in, poses fit to be drawn out: clipped, smooth, and shut when shut.

A pose is seven controls of 0..1 in the order of `CONTROLS`. Training and serving both call this file.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CONTROLS = ("jaw", "round", "wide", "press", "lip_teeth", "teeth", "tongue")
JAW, ROUND, WIDE, PRESS, LIP_TEETH, TEETH, TONGUE = range(len(CONTROLS))

# Closures last a frame or two: smoothing would open them.
_SMOOTHED = [JAW, ROUND, WIDE, TEETH, TONGUE]
_SHUT_BY_PRESSED_LIPS = [JAW, LIP_TEETH, TEETH]
# Pressed lips are never as wide as open ones can be.
_WIDTH_LEFT_WHEN_PRESSED = 0.4


@dataclass(frozen=True)
class ClosureGate:
    """Lips pressed less than `begins` leave the mouth as it is; from `complete` on it is shut."""

    begins: float
    complete: float


def finished_poses(
    raw: NDArray[np.float32], smoothing: Sequence[float], gate: ClosureGate
) -> NDArray[np.float32]:
    """Return the (N, 7) poses of all frames of an utterance, each within 0..1.

    `smoothing` is a centred kernel of odd length over frames; the first and last frame stand for what is
    beyond the ends. Raises ValueError for a kernel of even length.
    """
    return shut_poses(_smoothed(np.clip(raw, 0.0, 1.0), smoothing), gate)


def shut_poses(poses: NDArray[np.float32], gate: ClosureGate) -> NDArray[np.float32]:
    """Return the (N, 7) poses with jaw and teeth hidden wherever the lips are pressed."""
    pressed = np.clip((poses[:, PRESS] - gate.begins) / (gate.complete - gate.begins), 0.0, 1.0)
    pressed = pressed * pressed * (3.0 - 2.0 * pressed)
    shut = poses.copy()
    shut[:, _SHUT_BY_PRESSED_LIPS] *= 1.0 - pressed[:, None]
    shut[:, WIDE] *= 1.0 - (1.0 - _WIDTH_LEFT_WHEN_PRESSED) * pressed
    shut[:, PRESS] = np.maximum(shut[:, PRESS], pressed)
    return shut


def _smoothed(poses: NDArray[np.float32], kernel: Sequence[float]) -> NDArray[np.float32]:
    if len(kernel) % 2 == 0:
        raise ValueError(f"a smoothing kernel has an odd length, this one has {len(kernel)}")
    smooth = poses.astype(np.float32, copy=True)
    if poses.shape[0] == 0:
        return smooth
    reach = len(kernel) // 2
    padded = np.pad(poses[:, _SMOOTHED], ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(kernel), axis=0)
    smooth[:, _SMOOTHED] = windows @ np.asarray(kernel, np.float32)
    return smooth
