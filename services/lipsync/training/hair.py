"""A core hairstyle's textured mesh in, strands out: (N,K,3) points in decimetres, combed along the texture.

MakeHuman's hair is a shell whose texture paints strands along v. Strands traced along constant u keep its
style and give what a picture on a shell cannot: depth, soft edges and highlights that break up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.head_mesh import Floats, Indices, Surface

POINTS = 20
_ROOT_POINTS = 2  # a strand that begins before the face would loop back over its own root


@dataclass(frozen=True)
class Combing:
    """How strands leave the shell; lengths in decimetres."""

    strands: int = 14_000
    clumps: int = 700
    thickness: float = 0.055  # of the layer of hair around the shell
    gathering: float = 0.6  # share of a strand's offset that its clump's middle takes at the tip
    wave: float = 0.012
    stray: float = 0.03  # share of strands that leave their clump
    stray_reach: float = 0.05
    length: tuple[float, float] = (0.88, 1.0)  # shortest and longest cut


@dataclass(frozen=True)
class FaceWindow:
    """An ellipse before the face out of which hair is brushed aside, along the ellipsoid of the head.

    Centres and half axes are (x, y) and (x, y, z); a strand keeps its height above the ellipsoid.
    """

    centre: tuple[float, float]
    half_axes: tuple[float, float]
    head_centre: tuple[float, float, float]
    head_half_axes: tuple[float, float, float]
    crowding: float = 0.25  # how thick a band the brushed hair makes, as share of the ellipse

    def contains(self, points: Floats) -> NDArray[np.bool_]:
        """(…,3) points → (…) which lie inside the ellipse and before the head's middle."""
        radius = np.linalg.norm((points[..., :2] - self.centre) / self.half_axes, axis=-1)
        within: NDArray[np.bool_] = (radius < 1) & (points[..., 2] > self.head_centre[2])
        return within

    def brushed(self, points: Floats) -> Floats:
        """(…,3) points → the same, those before the face moved outwards to the ellipse's edge."""
        offset = (points[..., :2] - self.centre) / self.half_axes
        radius = np.linalg.norm(offset, axis=-1, keepdims=True)
        outer = 1 + self.crowding
        inside = (radius < outer) & (points[..., 2:] > self.head_centre[2])
        moved = points[..., :2] + np.where(
            inside, offset / np.maximum(radius, 1e-6) * ((1 + self.crowding * radius / outer) - radius), 0
        ) * np.array(self.half_axes)
        before = (points - self.head_centre) / self.head_half_axes
        height = np.linalg.norm(before, axis=-1)
        across = (moved - self.head_centre[:2]) / self.head_half_axes[:2]
        depth = np.sqrt(np.maximum(height**2 - (across**2).sum(-1), 0.01)) * self.head_half_axes[2]
        sliding = np.where(inside[..., 0], self.head_centre[2] + depth, points[..., 2])
        return np.concatenate([moved, sliding[..., None]], -1)


def combed_strands(
    vertices: Floats, surface: Surface, combing: Combing, window: FaceWindow, seed: int
) -> Floats:
    """(combing.strands,POINTS,3) strands from the root (largest v) down, brushed out of the face."""
    random = np.random.default_rng(seed)
    columns = _columns(vertices, surface, random.uniform(0, 1, combing.clumps * 2))
    columns = columns[~window.contains(columns[:, :_ROOT_POINTS]).any(1)]
    clumps = columns[random.permutation(len(columns))[: combing.clumps]]
    chosen = random.integers(0, len(clumps), combing.strands)
    guides = clumps[chosen]
    along = np.linspace(0, 1, POINTS)[None, :, None]
    offsets = random.normal(0, combing.thickness / 2, (combing.strands, 1, 3))
    gathered = offsets * (1 - combing.gathering * along)
    phase = random.uniform(0, 2 * np.pi, (combing.strands, 1, 3))
    turns = random.uniform(0.6, 2.2, (combing.strands, 1, 3))
    waves = combing.wave * np.sin(phase + 2 * np.pi * turns * along) * along
    strays = (random.uniform(size=(combing.strands, 1, 1)) < combing.stray) * random.normal(
        0, combing.stray_reach, (combing.strands, 1, 3)
    )
    strands = guides + gathered + waves + strays * along**2
    return _cut(window.brushed(strands), random.uniform(*combing.length, combing.strands))


def _cut(strands: Floats, share: Floats) -> Floats:
    """Each strand resampled to the first `share` of its points."""
    at = np.linspace(0, 1, POINTS)[None, :] * share[:, None] * (POINTS - 1)
    low = np.minimum(at.astype(np.int64), POINTS - 2)
    part = (at - low)[:, :, None]
    rows = np.arange(len(strands))[:, None]
    shortened: Floats = strands[rows, low] * (1 - part) + strands[rows, low + 1] * part
    return shortened


def _columns(vertices: Floats, surface: Surface, us: Floats) -> Floats:
    """Curves of constant u on every connected piece of the shell, resampled to POINTS."""
    pieces = _pieces(surface.corners)
    found: list[Floats] = []
    for u in us:
        found.extend(_column(vertices, surface, pieces, float(u)))
    return np.array(found)


def _column(vertices: Floats, surface: Surface, pieces: Indices, u: float) -> list[Floats]:
    a, b = surface.corners.ravel(), np.roll(surface.corners, -1, 1).ravel()
    va, vb = surface.quads.ravel(), np.roll(surface.quads, -1, 1).ravel()
    ua, ub = surface.coordinates[a, 0], surface.coordinates[b, 0]
    crossed = (ua - u) * (ub - u) < 0
    share = ((u - ua) / np.where(crossed, ub - ua, 1))[crossed]
    v = (1 - share) * surface.coordinates[a, 1][crossed] + share * surface.coordinates[b, 1][crossed]
    points = vertices[va[crossed]] * (1 - share)[:, None] + vertices[vb[crossed]] * share[:, None]
    piece = np.repeat(pieces, 4)[crossed]
    curves = []
    for number in np.unique(piece):
        own = piece == number
        order = np.argsort(-v[own])
        curve = _resampled(points[own][order])
        if curve is not None:
            curves.append(curve)
    return curves


def _resampled(points: Floats) -> Floats | None:
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    distance = np.concatenate([[0.0], np.cumsum(steps)])
    if distance[-1] < 0.3 or steps.max() > 1.0:
        return None
    at = np.linspace(0, distance[-1], POINTS)
    return np.stack([np.interp(at, distance, points[:, axis]) for axis in range(3)], 1)


def _pieces(corners: NDArray[np.int64]) -> Indices:
    """(F,) number of the connected piece each quad belongs to, by shared texture corners."""
    label = np.arange(int(corners.max()) + 1)
    while True:
        smallest = label[corners].min(1)
        updated = label.copy()
        np.minimum.at(updated, corners.ravel(), np.repeat(smallest, 4))
        updated = updated[updated]
        if np.array_equal(updated, label):
            return np.unique(label[corners].min(1), return_inverse=True)[1].astype(np.int64)
        label = updated
