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
# Lips that meet each other or the teeth do so for a moment, which stands out from the frames around it.
_CONTACTS = (PRESS, LIP_TEETH)
_PEAK_REACH_FRAMES = 2
# Pressed lips are never as wide as open ones can be.
_WIDTH_LEFT_WHEN_PRESSED = 0.4


@dataclass(frozen=True)
class ClosureGate:
    """Lips in touch by less than `begins` leave the mouth as it is; from `complete` on they count as shut."""

    begins: float
    complete: float

    def shut(self, touching: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return how far each mouth is shut, 0..1, rising smoothly between the two."""
        share = np.clip((touching - self.begins) / (self.complete - self.begins), 0.0, 1.0)
        return np.asarray(share * share * (3.0 - 2.0 * share), np.float32)


def finished_poses(
    raw: NDArray[np.float32],
    smoothing: Sequence[float],
    gate: ClosureGate,
    peak_gate: ClosureGate | None = None,
) -> NDArray[np.float32]:
    """Return the (N, 7) poses of all frames of an utterance, each within 0..1.

    `smoothing` is a centred kernel of odd length over frames; the first and last frame stand for what is
    beyond the ends. `peak_gate`, milder than `gate`, is for the one frame of five in which the lips press, or
    bite, most: in an unknown voice a contact is only suspected, yet it is where it stands out. Raises
    ValueError for a kernel of even length.
    """
    poses = _smoothed(np.clip(raw, 0.0, 1.0), smoothing)
    if peak_gate is not None:
        for contact in _CONTACTS:
            poses[:, contact] = _with_peaks(poses[:, contact], peak_gate)
    return shut_poses(poses, gate)


def shut_poses(poses: NDArray[np.float32], gate: ClosureGate) -> NDArray[np.float32]:
    """Return the (N, 7) poses with jaw and teeth hidden wherever the lips are pressed."""
    pressed = gate.shut(poses[:, PRESS])
    shut = poses.copy()
    shut[:, _SHUT_BY_PRESSED_LIPS] *= 1.0 - pressed[:, None]
    shut[:, WIDE] *= 1.0 - (1.0 - _WIDTH_LEFT_WHEN_PRESSED) * pressed
    shut[:, PRESS] = np.maximum(shut[:, PRESS], pressed)
    return shut


def _with_peaks(contact: NDArray[np.float32], gate: ClosureGate) -> NDArray[np.float32]:
    if contact.size == 0:
        return contact
    around = np.pad(contact, _PEAK_REACH_FRAMES)
    highest = np.lib.stride_tricks.sliding_window_view(around, 2 * _PEAK_REACH_FRAMES + 1).max(axis=1)
    return np.where(contact >= highest, np.maximum(contact, gate.shut(contact)), contact)


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
