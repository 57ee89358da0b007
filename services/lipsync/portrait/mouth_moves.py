"""A mouth's place in its crop goes in, how each control moves the skin, the lips and the cavity comes out.

Amounts are mouths' widths at a control of 1, measured on the same poses of the head that ships. What is seen
at a place comes from there less the displacement, so all fields are smooth and change slower than one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.mouth_place import MouthPlace, Plane
from services.lipsync.pose import CONTROLS, JAW, LIP_TEETH, PRESS, ROUND, TEETH, TONGUE, WIDE
from services.lipsync.warped_mouth import FIELD_STEP_PX

JAW_DROP = 0.34
_CHIN_SHARE, _NECK = 0.66, 0.42
_EDGE_PX = 14.0


def skin_moves(mouth: MouthPlace) -> NDArray[np.float32]:
    """(7, s, s, 2): what moves both lips alike. Rounding narrows the mouth, spreading widens it."""
    u, straight = mouth.coordinates(FIELD_STEP_PX)
    v = straight - mouth.meeting_line(u)
    near = _falling(np.abs(u), 0.4, 0.88) * _falling(np.abs(v), 0.1, 0.55)
    lips = _falling(np.abs(v), 0.04, 0.45) * _falling(np.abs(u), 0.25, 0.62)
    moves = np.zeros((len(CONTROLS), *u.shape, 2))
    _add(moves[ROUND], mouth, -0.36 * u * near, 0.22 * v * lips)
    _add(moves[WIDE], mouth, 0.13 * u * near, -0.05 * np.abs(u) * near)
    _add(moves[JAW], mouth, -0.07 * u * near, 0.03 * near)
    _add(moves[PRESS], mouth, 0 * u, -0.22 * v * lips)
    return _kept_inside(moves)


def layer_moves(mouth: MouthPlace) -> NDArray[np.float32]:
    """(3, 7, s, s, 2): what moves the upper face, the lower face and the cavity."""
    u, straight = mouth.coordinates(FIELD_STEP_PX)
    v = straight - mouth.meeting_line(u)
    upper, lower, cavity = moves = np.zeros((3, len(CONTROLS), *u.shape, 2))
    arch, flat = _arch(u, 0.5, 1.25), _arch(u, 0.5, 0.75)
    lift = upper_lip_share(mouth, v)
    drop = lower_lip_share(mouth, v)
    nothing = np.zeros_like(u)
    _add(upper[JAW], mouth, nothing, -0.03 * flat * lift)
    _add(upper[ROUND], mouth, nothing, -0.01 * arch * lift)
    _add(upper[LIP_TEETH], mouth, nothing, -0.065 * flat * lift)
    _add(upper[TEETH], mouth, nothing, -0.04 * flat * lift)
    _add(lower[JAW], mouth, nothing, JAW_DROP * _jaw(mouth, u, v))
    _add(lower[ROUND], mouth, nothing, 0.02 * arch * drop)
    _add(lower[LIP_TEETH], mouth, nothing, -0.005 * flat * drop)
    _add(lower[TEETH], mouth, nothing, 0.06 * flat * drop)
    _add(lower[TONGUE], mouth, nothing, 0.02 * arch * drop)
    _add(cavity[JAW], mouth, nothing, JAW_DROP + nothing)
    _add(cavity[TONGUE], mouth, nothing, nothing - 0.05)
    lips = _kept_inside(moves[:2])
    return np.concatenate([lips, cavity[None].astype(np.float32)])


def upper_lip_share(mouth: MouthPlace, v: Plane) -> Plane:
    """1 on the upper lip and below it, falling to 0 at the nose's base."""
    return _falling(-v, mouth.upper_lip, max(mouth.nose, mouth.upper_lip + 0.1))


def lower_lip_share(mouth: MouthPlace, v: Plane) -> Plane:
    """1 on the lower lip and above it, falling to 0 at the chin."""
    return _falling(v, mouth.lower_lip, mouth.chin)


def _jaw(mouth: MouthPlace, u: Plane, v: Plane) -> Plane:
    """The lower lip drops between the corners; below it ever more of the face's width goes along."""
    depth = np.clip(v / mouth.chin, 0, 1)
    half_width = 0.5 + 0.5 * _smooth(depth)
    lip_to_chin = 1 - (1 - _CHIN_SHARE) * _smooth(
        np.clip((v - mouth.lower_lip) / (mouth.chin - mouth.lower_lip), 0, 1)
    )
    return _arch(u, half_width, 1.25) * lip_to_chin * _falling(v, mouth.chin, mouth.chin + _NECK)


def _arch(u: Plane, half_width: Plane | float, power: float) -> Plane:
    return np.clip(1 - (u / half_width) ** 2, 0, None) ** power


def _falling(distance: Plane, begins: float, ends: float) -> Plane:
    return 1 - _smooth(np.clip((distance - begins) / (ends - begins), 0, 1))


def _smooth(share: Plane) -> Plane:
    return np.asarray(share * share * (3 - 2 * share))


def _add(field: Plane, mouth: MouthPlace, across: Plane, down: Plane) -> None:
    x, y = mouth.across * mouth.width_px
    field[..., 0] += across * x - down * y
    field[..., 1] += across * y + down * x


def _kept_inside(moves: Plane) -> NDArray[np.float32]:
    """Nothing moves at the crop's edge, where it joins the frame."""
    places = (np.arange(moves.shape[-2]) + 0.5) * FIELD_STEP_PX
    ramp = _smooth(np.clip(np.minimum(places, places[::-1]) / _EDGE_PX - 0.4, 0, 1))
    return (moves * np.outer(ramp, ramp)[..., None]).astype(np.float32)
