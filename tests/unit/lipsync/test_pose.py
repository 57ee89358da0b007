"""Raw poses become drawn ones: a suspected contact shows where it stands out, and only there."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.pose import CONTROLS, JAW, LIP_TEETH, PRESS, ClosureGate, finished_poses

SMOOTHING, GATE, PEAK_GATE = (0.15, 0.7, 0.15), ClosureGate(0.3, 0.8), ClosureGate(0.12, 0.35)


def talking(contact: int, course: list[float]) -> NDArray[np.float32]:
    """Twelve frames of an open mouth whose lips come into touch as `course` says, from the fifth frame on."""
    raw = np.zeros((12, len(CONTROLS)), np.float32)
    raw[:, JAW] = 0.5
    raw[4 : 4 + len(course), contact] = course
    return raw


def finished(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    return finished_poses(raw, SMOOTHING, GATE, PEAK_GATE)


def test_a_suspected_closure_shuts_the_mouth_for_one_frame() -> None:
    poses = finished(talking(PRESS, [0.2, 0.4, 0.3]))
    assert np.flatnonzero((poses[:, PRESS] > 0.5) & (poses[:, JAW] < 0.1)).tolist() == [5]


def test_a_suspected_bite_shows_for_one_frame() -> None:
    poses = finished(talking(LIP_TEETH, [0.2, 0.34, 0.3]))
    assert np.flatnonzero(poses[:, LIP_TEETH] > 0.5).tolist() == [5]


def test_a_closure_too_faint_to_be_meant_leaves_the_mouth_open() -> None:
    raw = talking(PRESS, [0.05, 0.1, 0.05])
    np.testing.assert_array_equal(finished(raw), finished_poses(raw, SMOOTHING, GATE))


def test_without_a_peak_gate_nothing_stands_out() -> None:
    poses = finished_poses(talking(PRESS, [0.2, 0.4, 0.3]), SMOOTHING, GATE)
    assert poses[:, PRESS].max() == pytest.approx(0.4)


def test_an_utterance_of_no_frames_has_no_poses() -> None:
    assert finished(np.zeros((0, len(CONTROLS)), np.float32)).shape == (0, len(CONTROLS))
