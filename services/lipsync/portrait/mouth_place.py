"""Points of a face in go, the mouth's own coordinates come out: across, and down from where the lips meet.

The unit is the mouth's width. `u` runs from -0.5 in the corner on the picture's left to 0.5, `v` downwards
from the line between the corners.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.face import (
    CHIN,
    LOWER_INNER,
    LOWER_LIP_BOTTOM,
    NOSE_BASE,
    UPPER_INNER,
    UPPER_LIP_TOP,
    Points,
)

Plane = NDArray[np.float64]
# A crop of so many mouths' widths holds all that a moving jaw changes.
_CROP_WIDTHS = 2.35
_CROP_MIDDLE = 0.42
_CROP_MULTIPLE_PX, _SMALLEST_CROP_PX, _LARGEST_CROP_PX = 16, 96, 320


@dataclass(frozen=True, slots=True)
class MouthPlace:
    """Where the mouth is in a frame, and how a square crop (`left`, `top`, `size_px`) lies around it."""

    points: Points
    middle: Points
    across: Points
    width_px: float
    left: int
    top: int
    size_px: int

    def coordinates(self, step_px: int = 1) -> tuple[Plane, Plane]:
        """`u` and `v` at every `step_px`-th place of the crop."""
        places = (np.arange(self.size_px // step_px) + 0.5) * step_px - 0.5
        x, y = np.meshgrid(places + self.left - self.middle[0], places + self.top - self.middle[1])
        u = (x * self.across[0] + y * self.across[1]) / self.width_px
        v = (y * self.across[0] - x * self.across[1]) / self.width_px
        return u, v

    def upper_edge(self, u: Plane) -> Plane:
        """The upper lip's lower edge: `v` from the straight line."""
        return self._edge(UPPER_INNER, u)

    def lower_edge(self, u: Plane) -> Plane:
        """The lower lip's upper edge, never above the upper one's lower edge."""
        return np.maximum(self._edge(LOWER_INNER, u), self.upper_edge(u))

    def meeting_line(self, u: Plane) -> Plane:
        """Where the lips meet once the mouth is shut: `v` from the straight line."""
        return (self.upper_edge(u) + self.lower_edge(u)) / 2

    @property
    def upper_lip(self) -> float:
        """Its height."""
        return max(self._down(UPPER_INNER[5]) - self._down(UPPER_LIP_TOP), 0.03)

    @property
    def lower_lip(self) -> float:
        """Its height."""
        return max(self._down(LOWER_LIP_BOTTOM) - self._down(LOWER_INNER[5]), 0.05)

    @property
    def nose(self) -> float:
        """How far the nose's base is above the corners."""
        return max(-self._down(NOSE_BASE), self.upper_lip + 0.08)

    @property
    def chin(self) -> float:
        """How far the chin's end is below the corners."""
        return max(self._down(CHIN), 0.5)

    def _down(self, point: int) -> float:
        x, y = self.points[point] - self.middle
        return float(y * self.across[0] - x * self.across[1]) / self.width_px

    def _edge(self, points: tuple[int, ...], u: Plane) -> Plane:
        placed = self.points[list(points)] - self.middle
        along = placed @ self.across / self.width_px
        down = placed @ np.array([-self.across[1], self.across[0]]) / self.width_px
        # A polynomial that is zero in both corners has neither their noise nor kinks at the points.
        bell = (0.25 - along**2)[1:-1]
        basis = np.stack([bell, bell * along[1:-1], bell * along[1:-1] ** 2], axis=1)
        weights, *_ = np.linalg.lstsq(basis, down[1:-1], rcond=None)
        inside = np.clip(u, -0.5, 0.5)
        return np.asarray((0.25 - inside**2) * (weights[0] + weights[1] * inside + weights[2] * inside**2))


def mouth_place(points: Points) -> MouthPlace:
    """The mouth of the mesh's points (468, 2) in a frame."""
    corners = points[[UPPER_INNER[0], UPPER_INNER[-1]]]
    middle = corners.mean(axis=0)
    across = corners[1] - corners[0]
    width = float(np.linalg.norm(across))
    across = across / width
    steps = round(_CROP_WIDTHS * width / _CROP_MULTIPLE_PX)
    size = int(np.clip(steps * _CROP_MULTIPLE_PX, _SMALLEST_CROP_PX, _LARGEST_CROP_PX))
    centre = middle + _CROP_MIDDLE * width * np.array([-across[1], across[0]])
    left, top = np.rint(centre - size / 2).astype(int)
    return MouthPlace(points, middle, across, width, int(left), int(top), size)
