"""A framed photo and its mouth's place go in, the pictures that a warped mouth is made of come out.

Lips that stand apart in the photo, as in a smile, are shut first: pose zero is a closed mouth.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.framing import MARGIN_PX, Framed
from services.lipsync.portrait.mouth_moves import JAW_DROP, lower_lip_share, upper_lip_share
from services.lipsync.portrait.mouth_place import MouthPlace, Plane

Layers = NDArray[np.uint8]

_INSIDE = Path(__file__).with_name("inside.png")
# Of inside.png: its corners' distance, middle and line, and the row of the teeth's lower ends.
_WIDTH_PX, _MIDDLE_COLUMN, _CORNER_ROW, _TEETH_ENDS_ROW = 80.0, 60.0, 24.0, 29.0
_TEETH_BELOW_LINE = 0.085
# The mean colour of the skin that inside.png was made with.
_SKIN = np.array([205.0, 160.0, 130.0])
# The lower face reaches this far above the lips' line, so that a closed mouth has no seam.
_OVERLAP_PX = 1.5


def lip_layers(framed: Framed, mouth: MouthPlace) -> Layers:
    """(2, S, S, 4) upper and lower face, RGBA, with the mouth shut."""
    u, straight = mouth.coordinates()
    v = straight - mouth.meeting_line(u)
    shut_down = (mouth.meeting_line(u) - mouth.upper_edge(u)) * upper_lip_share(mouth, v)
    shut_up = (mouth.lower_edge(u) - mouth.meeting_line(u)) * lower_lip_share(mouth, v)
    upper = _pixels(framed, mouth, u, straight - shut_down)
    lower = _pixels(framed, mouth, u, straight + shut_up)
    down_px = v * mouth.width_px
    above = np.clip(0.5 - down_px, 0, 1)
    between = np.clip((0.5 - np.abs(u)) * mouth.width_px / 2, 0, 1)
    hole = np.clip(0.5 - _OVERLAP_PX - down_px, 0, 1) * between
    return np.stack([_with_alpha(upper, above), _with_alpha(lower, 1 - hole)])


def inside_layers(framed: Framed, mouth: MouthPlace) -> Layers:
    """(2, S, S, 4) cavity and upper teeth, RGBA, as bright and warm as the photo's skin."""
    cavity, teeth = np.split(_inside_picture(), 2)
    u, straight = mouth.coordinates()
    middle = float(mouth.meeting_line(np.zeros(1))[0])
    columns = (u * _WIDTH_PX + _MIDDLE_COLUMN).astype(np.float32)
    tint = _tint(framed, mouth)
    layers = []
    for picture, row, line in (
        # With the jaw up, the cavity lies as much higher as the jaw will drop.
        (cavity, _CORNER_ROW, middle - JAW_DROP),
        (teeth, _TEETH_ENDS_ROW, middle + _TEETH_BELOW_LINE),
    ):
        rows = ((straight - line) * _WIDTH_PX + row).astype(np.float32)
        placed = cv2.remap(picture, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
        layer = np.asarray(placed, np.float64)
        layer[..., :3] *= tint
        layers.append(np.rint(layer).clip(0, 255).astype(np.uint8))
    return np.stack(layers)


@cache
def _inside_picture() -> NDArray[np.float32]:
    picture = cv2.imread(str(_INSIDE), cv2.IMREAD_UNCHANGED)
    return np.asarray(cv2.cvtColor(np.asarray(picture), cv2.COLOR_BGRA2RGBA), np.float32)


def _tint(framed: Framed, mouth: MouthPlace) -> Plane:
    """Light falls on teeth as on the skin around them; skin's own darkness counts for half."""
    u, v = mouth.coordinates()
    pixels = _pixels(framed, mouth, u, v)
    around = (np.abs(u) < 0.8) & (v > -mouth.nose) & (v < mouth.chin * 0.9) & (np.hypot(u, v * 1.6) > 0.6)
    skin = np.median(pixels[around], axis=0)
    light = np.sqrt(np.clip(skin.mean() / _SKIN.mean(), 0.2, 1.3))
    cast = (skin / skin.mean()) / (_SKIN / _SKIN.mean())
    return np.asarray(1.04 * light * np.clip(cast, 0.9, 1.1) ** 0.4)


def _pixels(framed: Framed, mouth: MouthPlace, u: Plane, v: Plane) -> NDArray[np.uint8]:
    x, y = mouth.across * mouth.width_px
    columns = (u * x - v * y + mouth.middle[0] + MARGIN_PX).astype(np.float32)
    rows = (u * y + v * x + mouth.middle[1] + MARGIN_PX).astype(np.float32)
    taken = cv2.remap(framed.pixels, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(taken, np.uint8)


def _with_alpha(pixels: NDArray[np.uint8], alpha: Plane) -> NDArray[np.uint8]:
    return np.dstack([pixels, np.rint(alpha * 255).astype(np.uint8)])
