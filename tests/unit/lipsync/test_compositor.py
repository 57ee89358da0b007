"""A mouth put onto its frame: where it belongs, in the right colours, and nothing else changed."""

from __future__ import annotations

from dataclasses import dataclass

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.compositor import Compositor
from services.lipsync.fragments import Size
from services.lipsync.manifests import Affine, Mouth

WIDTH, HEIGHT, SIZE = 96, 80, 32
IDENTITY: Affine = (1, 0, 20, 0, 1, 30)


@dataclass(frozen=True)
class Loop:
    """Its frames are grey, each two steps brighter than the one before."""

    placement: tuple[Affine, ...]
    feather: int

    def picture(self, mouth: NDArray[np.float32], position: int) -> av.VideoFrame:
        crop = Mouth(contract="pose/1", size_px=SIZE, feather_px=self.feather, placement=self.placement)
        frame = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        frame[:HEIGHT] = 100 + 2 * (position % len(self.placement))
        return Compositor(crop, Size(WIDTH, HEIGHT)).picture(frame, mouth, position)


def compositor(*placement: Affine, feather: int = 4) -> Loop:
    return Loop(placement, feather)


def flat(red: float, green: float, blue: float) -> NDArray[np.float32]:
    colour = np.array([red, green, blue], np.float32)
    return np.broadcast_to(colour[:, None, None], (3, SIZE, SIZE)).copy()


def planes(picture: av.VideoFrame) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    array = np.asarray(picture.to_ndarray(), np.uint8)
    chroma = array[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    return array[:HEIGHT], chroma[0], chroma[1]


def test_only_the_mouths_region_changes() -> None:
    luma, blue, red = planes(compositor(IDENTITY).picture(flat(1, 0, 0), 0))

    outside = np.ones((HEIGHT, WIDTH), bool)
    outside[30 : 30 + SIZE, 20 : 20 + SIZE] = False
    assert set(luma[outside].tolist()) == {100}
    assert set(blue[outside[::2, ::2]].tolist()) == set(red[outside[::2, ::2]].tolist()) == {128}
    assert luma[46, 36] != 100


@pytest.mark.parametrize(
    ("colour", "ycbcr"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((1, 1, 1), (235, 128, 128)),
        ((1, 0, 0), (81, 90, 240)),
        ((0, 1, 0), (145, 54, 34)),
        ((0, 0, 1), (41, 240, 110)),
    ],
)
def test_colours_are_those_of_bt601_limited_range(
    colour: tuple[float, float, float], ycbcr: tuple[int, int, int]
) -> None:
    luma, blue, red = planes(compositor(IDENTITY).picture(flat(*colour), 0))

    assert (luma[46, 36], blue[23, 18], red[23, 18]) == ycbcr


def test_the_edge_of_the_mouth_fades_into_the_frame() -> None:
    luma, _, _ = planes(compositor(IDENTITY, feather=8).picture(flat(1, 1, 1), 0))

    into_the_mouth = luma[46, 20:32].astype(int)
    assert into_the_mouth[0] == 100
    assert into_the_mouth[8] == 235
    assert (np.diff(into_the_mouth) >= 0).all()
    assert np.diff(into_the_mouth).max() < 40


def test_each_position_has_its_frame_and_its_placement_and_the_loop_goes_round() -> None:
    twice = compositor(IDENTITY, (1, 0, 60, 0, 1, 10))
    first, second, third = (planes(twice.picture(flat(0, 0, 0), position))[0] for position in (0, 1, 2))

    assert (first[0, 0], second[0, 0]) == (100, 102)
    assert (first[46, 36], second[26, 76]) == (16, 16)
    assert (third == first).all()


def test_a_mouth_lies_where_warp_affine_would_put_it() -> None:
    placement: Affine = (1.1, -0.08, 25.3, 0.08, 1.1, 18.7)
    picture = np.random.default_rng(0).random((SIZE, SIZE)).astype(np.float32)
    picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), 2), np.float32)
    luma, _, _ = planes(compositor(placement).picture(np.stack([picture] * 3), 0))

    wanted = cv2.warpAffine(16 + 219 * picture, np.array(placement).reshape(2, 3), (WIDTH, HEIGHT))
    inside = cv2.warpAffine(
        np.pad(np.ones((SIZE - 10, SIZE - 10), np.uint8), 5),
        np.array(placement).reshape(2, 3),
        (WIDTH, HEIGHT),
    )
    assert inside.sum() > 300
    assert np.abs(luma[inside == 1] - wanted[inside == 1]).max() <= 1


def test_a_mouth_that_leaves_the_frame_is_cut_off() -> None:
    edge = compositor((1, 0, WIDTH - 10, 0, 1, HEIGHT - 10), (1, 0, -20, 0, 1, -20), (1, 0, 500, 0, 1, 500))

    assert planes(edge.picture(flat(1, 1, 1), 0))[0][-1, -1] > 200
    assert planes(edge.picture(flat(1, 1, 1), 1))[0][0, 0] > 200
    assert set(planes(edge.picture(flat(1, 1, 1), 2))[0].ravel().tolist()) == {104}
