"""Rendered pictures, put together: what a moving jaw covers of the wall, and what it uncovers."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.training.framing import MOUTH, MOUTH_PX, RENDER_PX
from services.lipsync.training.head_pictures import HeadPictures
from services.lipsync.training.identity import Wall

SKIN = (0.8, 0.6, 0.4)
WALL = Wall((0.5, 0.6, 0.7), (0.5, 0.6, 0.7))
ROW = MOUTH_PX // 2


def face(jaw_column: int) -> NDArray[np.uint8]:
    """(S,S,4) a mouth's crop: skin up to `jaw_column`, clear beyond it."""
    crop = np.zeros((MOUTH_PX, MOUTH_PX, 4), np.uint8)
    crop[:, :jaw_column] = np.rint(np.array([*SKIN, 1.0]) * 255)
    return crop


def write(file: Path, picture: NDArray[np.uint8]) -> None:
    cv2.imwrite(str(file), cv2.cvtColor(picture, cv2.COLOR_RGBA2BGRA))


@pytest.fixture
def pictures(tmp_path: Path) -> HeadPictures:
    """A jaw that ends at column 90, then at 70, then at 110."""
    neutral = np.zeros((RENDER_PX, RENDER_PX, 4), np.uint8)
    neutral[MOUTH.rows, MOUTH.columns] = face(90)
    write(tmp_path / "neutral.png", neutral)
    for number, column in enumerate((90, 70, 110)):
        write(tmp_path / f"mouth_{number:04d}.png", face(column))
    return HeadPictures(tmp_path, WALL)


def test_a_jaw_that_draws_in_uncovers_the_wall(pictures: HeadPictures) -> None:
    drawn_in = pictures.mouths(2)[1]
    assert drawn_in[ROW, 80] == pytest.approx(WALL.middle, abs=0.01)
    assert drawn_in[ROW, 60] == pytest.approx(SKIN, abs=0.01)


def test_a_jaw_that_moves_out_hides_the_wall(pictures: HeadPictures) -> None:
    moved_out = pictures.mouths(3)[2]
    assert moved_out[ROW, 100] == pytest.approx(SKIN, abs=0.01)


def test_a_picture_that_was_not_rendered_is_named(pictures: HeadPictures) -> None:
    with pytest.raises(FileNotFoundError, match=r"mouth_0003\.png is missing"):
        pictures.mouths(4)
