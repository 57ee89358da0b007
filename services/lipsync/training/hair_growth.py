"""A core hairstyle's textured mesh in, short strands grown from it out: (N,K,3) points in decimetres.

Strands stand where the texture is opaque, so the painted hairline stays soft, and lean away from the crown.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.head_mesh import Floats, Surface

_LONGEST_EDGE = 0.5  # quads beyond this span the gap between two pieces of hair
_TUFT = 0.16  # decimetres over which neighbours lean alike
_CLIPPED_BETWEEN = (0.35, 0.8)  # of the height of the hair
_EDGE_PX = 5  # of the texture: where its outline is soft though the hair goes on beyond a seam
_BEND = 0.9  # how far a tip turns from its root's direction towards the lie of the hair


@dataclass(frozen=True)
class Growth:
    """How strands stand; lengths in decimetres. `sides` is the share of the length that
    hair keeps down at the ears, `lift` is 0 lying to 1 upright, `sweep` pulls (x, y, z)."""

    strands: int = 20_000
    length: float = 0.25
    sides: float = 1.0
    lift: float = 0.4
    sweep: tuple[float, float, float] = (0.0, 0.0, 0.0)
    curl: float = 0.0
    turns: float = 3.0
    unruly: float = 0.25
    sunk: float = 0.03
    taper: float = 0.25
    points: int = 12


def grown_strands(
    vertices: Floats, surface: Surface, opacity: NDArray[np.float32], growth: Growth, seed: int
) -> Floats:
    """(growth.strands,growth.points,3); `opacity` (h,w) 0..1 is the texture's, its first row at v = 0."""
    random = np.random.default_rng(seed)
    roots, normals = _roots(vertices, surface, _filled(opacity), growth.strands, random)
    middle = (vertices.min(0) + vertices.max(0)) / 2
    crown = np.array([0.0, vertices[:, 1].max(), middle[2] - 0.25])
    lying = roots - crown
    lying /= np.linalg.norm(lying, axis=1, keepdims=True)
    lying = lying + np.array(growth.sweep) + growth.unruly * _tufts(roots, random)
    lying -= (lying * normals).sum(1, keepdims=True) * normals
    lying /= np.maximum(np.linalg.norm(lying, axis=1, keepdims=True), 1e-6)
    along = np.linspace(0, 1, growth.points)[None, :, None]
    height = (roots[:, 1] - vertices[:, 1].min()) / np.ptp(vertices[:, 1])
    kept = np.interp(height, _CLIPPED_BETWEEN, (growth.sides, 1.0))[:, None, None]
    length = growth.length * kept * random.uniform(0.65, 1.0, (len(roots), 1, 1))
    upright = growth.lift * (1 - _BEND * (1 - growth.lift) * along)
    path = upright * normals[:, None] + (1 - growth.lift) * lying[:, None]
    path = path + 0.5 * growth.unruly * random.normal(0, 0.5, (len(roots), 1, 3))
    stem = roots[:, None] - growth.sunk * normals[:, None] + length * along * path
    return stem + _coils(normals, lying, along, growth, random)


def _roots(
    vertices: Floats,
    surface: Surface,
    opacity: NDArray[np.float32],
    count: int,
    random: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Points on opaque hair and the outward normals there, both (count,3)."""
    corners = vertices[surface.quads]
    normals = np.cross(corners[:, 2] - corners[:, 0], corners[:, 3] - corners[:, 1])
    area = np.linalg.norm(normals, axis=1)
    area[np.linalg.norm(corners - np.roll(corners, 1, 1), axis=2).max(1) > _LONGEST_EDGE] = 0
    normals /= np.maximum(area, 1e-12)[:, None]
    middle = (vertices.min(0) + vertices.max(0)) / 2
    normals *= np.where(((corners.mean(1) - middle) * normals).sum(1) < 0, -1, 1)[:, None]
    drawn = random.choice(len(area), count * 6, p=area / area.sum())
    across, down = random.uniform(0, 1, (2, len(drawn), 1))
    shares = np.stack([(1 - across) * (1 - down), across * (1 - down), across * down, (1 - across) * down], 1)
    texture = (surface.coordinates[surface.corners[drawn]] * shares).sum(1)
    height, width = opacity.shape
    columns = np.clip(texture[:, 0] * width, 0, width - 1).astype(np.int64)
    rows = np.clip(texture[:, 1] * height, 0, height - 1).astype(np.int64)
    kept = np.flatnonzero(random.uniform(size=len(drawn)) < opacity[rows, columns])[:count]
    return (corners[drawn[kept]] * shares[kept]).sum(1), normals[drawn[kept]]


def _tufts(roots: Floats, random: np.random.Generator) -> Floats:
    """(N,3) a direction that neighbouring roots share: a few waves through space, standing for tufts."""
    waves = random.normal(0, 1 / _TUFT, (3, 8, 3))
    phases = random.uniform(0, 2 * np.pi, (3, 8))
    swung = np.sin(np.einsum("nk,awk->naw", roots, waves) + phases).sum(2)
    tufts: Floats = swung / np.sqrt(8 / 2)
    return tufts


def _coils(
    normals: Floats, lying: Floats, along: Floats, growth: Growth, random: np.random.Generator
) -> Floats:
    """(N,K,3) circles about each strand, wider towards its tip."""
    aside = np.cross(normals, lying)
    phase = random.uniform(0, 2 * np.pi, (len(normals), 1, 1))
    turned = phase + 2 * np.pi * growth.turns * random.uniform(0.7, 1.3, (len(normals), 1, 1)) * along
    circle = np.cos(turned) * lying[:, None] + np.sin(turned) * aside[:, None]
    coils: Floats = growth.curl * np.sqrt(along) * circle
    return coils


def _filled(opacity: NDArray[np.float32]) -> NDArray[np.float32]:
    """The texture's opacity grown by _EDGE_PX on every side."""
    padded = np.pad(opacity, _EDGE_PX)
    windows = np.lib.stride_tricks.sliding_window_view
    tall = windows(padded, 2 * _EDGE_PX + 1, axis=0).max(-1)
    filled: NDArray[np.float32] = windows(tall, 2 * _EDGE_PX + 1, axis=1).max(-1)
    return filled
