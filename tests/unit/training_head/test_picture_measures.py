"""How much alike two pictures look, in numbers."""

import cv2
import numpy as np
import pytest

from services.lipsync.training.picture_measures import (
    Pixels,
    decibels,
    gradient_deviation,
    sharpness,
    structural_similarity,
)


@pytest.fixture
def picture() -> Pixels:
    """Smooth shades with a few edges: what a face is made of."""
    rough = np.random.default_rng(3).uniform(0.2, 0.8, (20, 20, 3)).astype(np.float32)
    return np.asarray(cv2.resize(rough, (160, 160), interpolation=cv2.INTER_CUBIC).clip(0, 1), np.float32)


def blurred(picture: Pixels) -> Pixels:
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 4), np.float32)


def test_a_picture_is_like_itself(picture: Pixels) -> None:
    assert structural_similarity(picture, picture) == pytest.approx(1)
    assert gradient_deviation(picture, picture) == pytest.approx(0, abs=1e-9)
    assert sharpness(picture, picture, np.ones((160, 160), bool)) == pytest.approx(1)


def test_a_tenth_of_the_range_everywhere_is_20_decibels(picture: Pixels) -> None:
    assert decibels(picture + np.float32(0.1), picture) == pytest.approx(20, abs=0.01)


def test_only_the_pixels_asked_for_count(picture: Pixels) -> None:
    spoiled = picture.copy()
    spoiled[:80] = 0
    lower_half = np.zeros((160, 160), bool)
    lower_half[80:] = True
    assert decibels(spoiled + np.float32(0.1), picture, lower_half) == pytest.approx(20, abs=0.01)


def test_blur_is_seen_by_every_measure(picture: Pixels) -> None:
    soft = blurred(picture)
    assert structural_similarity(soft, picture) < 0.95
    assert gradient_deviation(soft, picture) > 0.05
    assert sharpness(soft, picture, np.ones((160, 160), bool)) < 0.8


def test_blur_counts_for_more_than_a_shade_with_the_same_error(picture: Pixels) -> None:
    soft = blurred(picture)
    error = np.sqrt(np.square(soft - picture).mean())
    shaded = picture + np.float32(error)
    assert decibels(shaded, picture) == pytest.approx(decibels(soft, picture), abs=0.1)
    assert gradient_deviation(soft, picture) > 2 * gradient_deviation(shaded, picture)
