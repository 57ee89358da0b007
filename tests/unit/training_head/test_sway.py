"""How the idle head moves: it closes its loop, stays small, and takes the mouth's crop with it."""

import math

import numpy as np
import pytest

from services.lipsync.idle_motion import LOOP_FRAMES, breath
from services.lipsync.training.framing import FRAME_PX, MOUTH, RENDER_PX
from services.lipsync.training.sway import Affine, head_motion, placement


def test_the_loop_ends_where_it_begins() -> None:
    assert np.array_equal(head_motion(LOOP_FRAMES), head_motion(0))
    assert breath(LOOP_FRAMES) == breath(0)


def test_the_head_is_no_faster_at_the_joint_than_elsewhere() -> None:
    corners = np.array([[200.0, 100.0, 1.0], [360.0, 400.0, 1.0]])
    positions = np.array([corners @ head_motion(frame).T for frame in range(LOOP_FRAMES + 1)])
    steps = np.linalg.norm(np.diff(positions, axis=0), axis=-1).max(1)
    assert steps[-1] <= steps[:-1].max()
    assert steps.max() < 0.5, "more than half a pixel a frame looks restless"


def test_the_head_moves_but_only_a_little() -> None:
    tilts = [math.degrees(math.atan2(*head_motion(frame)[::-1, 0])) for frame in range(LOOP_FRAMES)]
    assert 0.3 < max(tilts) < 1.5
    assert -1.5 < min(tilts) < -0.3


def test_the_margin_never_runs_out() -> None:
    corners = np.array([[0.0, 0.0], [FRAME_PX - 1, 0], [0, 400], [FRAME_PX - 1, 400]])
    for frame in range(LOOP_FRAMES):
        motion = head_motion(frame)
        sources = np.linalg.solve(motion[:, :2], (corners - motion[:, 2]).T)
        assert sources.min() >= 0
        assert sources.max() <= RENDER_PX - 1


@pytest.mark.parametrize("frame", [0, 37, 199])
def test_a_crop_is_placed_where_the_head_takes_it(frame: int) -> None:
    in_crop = np.array([12.0, 95.0])
    in_render = in_crop + np.array([MOUTH.x, MOUTH.y])
    assert _mapped(placement(frame, MOUTH), in_crop) == pytest.approx(_mapped(head_motion(frame), in_render))


def _mapped(affine: Affine, point: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float]:
    mapped: list[float] = (affine[:, :2] @ point + affine[:, 2]).tolist()
    return mapped
