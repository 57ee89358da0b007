"""Short hair grows out of the opaque part of its shell, as long and as upright as it is told."""

import numpy as np

from services.lipsync.training.hair_growth import Growth, grown_strands
from services.lipsync.training.head_mesh import Floats, Surface


def dome() -> tuple[Floats, Surface]:
    """The upper half of a unit sphere; u runs around it, v from the rim to the top."""
    around, rings = 24, 8
    angles, heights = np.meshgrid(np.linspace(0, 2 * np.pi, around + 1), np.linspace(0, np.pi / 2, rings + 1))
    points = np.stack(
        [np.cos(heights) * np.cos(angles), np.sin(heights), np.cos(heights) * np.sin(angles)], -1
    )
    corner = np.arange((around + 1) * (rings + 1)).reshape(rings + 1, around + 1)
    quads = np.stack([corner[:-1, :-1], corner[:-1, 1:], corner[1:, 1:], corner[1:, :-1]], -1).reshape(-1, 4)
    texture = np.stack([angles / (2 * np.pi), heights / (np.pi / 2)], -1).reshape(-1, 2)
    return points.reshape(-1, 3), Surface(quads, quads, texture, np.zeros(len(quads), np.int64))


def grown(growth: Growth, opacity: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> Floats:
    vertices, surface = dome()
    return grown_strands(vertices, surface, opacity, growth, seed=3)


EVERYWHERE = np.ones((64, 64), np.float32)


def test_every_strand_grows_and_the_same_seed_grows_the_same() -> None:
    growth = Growth(strands=300)
    strands = grown(growth, EVERYWHERE)
    assert strands.shape == (300, growth.points, 3)
    assert np.isfinite(strands).all()
    assert np.array_equal(strands, grown(growth, EVERYWHERE))


def test_hair_grows_only_where_the_texture_is_opaque() -> None:
    upper = np.zeros((64, 64), np.float32)
    upper[40:] = 1  # rows start at v = 0, the rim of the dome
    roots = grown(Growth(strands=300, sunk=0), upper)[:, 0]
    lowest = np.sin(np.pi / 2 * 34 / 64) - 0.02  # a facet lies below the sphere
    assert roots[:, 1].min() > lowest


def test_no_strand_is_longer_than_told_and_sides_are_clipped() -> None:
    strands = grown(Growth(strands=600, length=0.2, sides=0.4, unruly=0), EVERYWHERE)
    reach = np.linalg.norm(strands[:, -1] - strands[:, 0], axis=1)
    height = strands[:, 0, 1]
    assert reach.max() <= 0.2 + 1e-9
    assert reach[height < 0.2].mean() < 0.6 * reach[height > 0.9].mean()


def test_upright_hair_stands_off_the_head_and_lying_hair_stays_close() -> None:
    def rise(lift: float) -> float:
        strands = grown(Growth(strands=300, length=0.2, lift=lift, unruly=0, sunk=0), EVERYWHERE)
        return float((np.linalg.norm(strands[:, -1], axis=1) - np.linalg.norm(strands[:, 0], axis=1)).mean())

    assert rise(1.0) > 0.1
    assert rise(0.1) < 0.5 * rise(1.0)


def test_curls_wind_about_the_strand() -> None:
    straight = grown(Growth(strands=100, lift=1.0), EVERYWHERE)
    curled = grown(Growth(strands=100, lift=1.0, curl=0.05), EVERYWHERE)
    along = np.linalg.norm(np.diff(straight, axis=1), axis=2).sum(1).mean()
    assert np.linalg.norm(np.diff(curled, axis=1), axis=2).sum(1).mean() > 1.2 * along
