"""Hair is brushed out of the face."""

import numpy as np

from services.lipsync.training.hair import FaceWindow
from services.lipsync.training.head_mesh import Floats

WINDOW = FaceWindow((0.0, 0.0), (0.6, 0.9), (0.0, 0.3, -0.8), (0.85, 1.15, 1.0))


def curtain() -> Floats:
    columns, rows = np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(-0.7, 0.7, 9))
    return np.stack([columns, rows, np.full_like(columns, 0.2)], -1).reshape(-1, 3)


def test_nothing_hangs_before_the_face() -> None:
    brushed = WINDOW.brushed(curtain())
    radius = np.hypot(brushed[:, 0] / 0.6, brushed[:, 1] / 0.9)
    hung_before = np.hypot(curtain()[:, 0] / 0.6, curtain()[:, 1] / 0.9) < 1
    aside = np.abs(curtain()[:, :2]).max(1) > 0.01  # the very middle has no side to go to
    assert hung_before.any()
    assert radius[aside].min() > 0.99


def test_hair_behind_the_head_and_beside_the_face_stays() -> None:
    behind = curtain() - np.array([0, 0, 1.5])
    beside = curtain() + np.array([2.0, 0, 0])
    assert np.allclose(WINDOW.brushed(behind), behind)
    assert np.allclose(WINDOW.brushed(beside), beside)


def test_brushed_hair_keeps_its_order_from_middle_to_side() -> None:
    line = np.stack([np.linspace(0.05, 0.7, 14), np.zeros(14), np.full(14, 0.2)], -1)
    assert (np.diff(WINDOW.brushed(line)[:, 0]) > 0).all()
