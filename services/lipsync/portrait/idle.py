"""A framed photo with its mouth shut goes in, the frames of its idle loop and the head's way come out.

The head moves as one similarity, so that a mouth can be placed by an affine; around it the motion fades into
the wall's, which stands still, and below into the chest's, which only breathes.
"""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.idle_motion import LOOP_FRAMES, breath, head_motion, lids_at
from services.lipsync.manifests import Affine
from services.lipsync.portrait.face import CHIN, FOREHEAD
from services.lipsync.portrait.framing import FRAME_PX, MARGIN_PX, Framed
from services.lipsync.portrait.lids import Lids
from services.lipsync.portrait.mouth_place import MouthPlace
from services.lipsync.portrait.packing import rounded
from services.lipsync.portrait.photo import Pixels

Plane = NDArray[np.float64]

_FADES_OVER_PX = 130.0
# Hair above and beside the face moves with it.
_HAIR_ABOVE, _HAIR_BESIDE = 0.30, 0.16


def loop_frames(framed: Framed, mouth: MouthPlace) -> Iterator[Pixels]:
    """Yields LOOP_FRAMES frames (512, 512, 3) RGB."""
    lids = Lids(framed)
    shares = _head_share(framed, mouth), _chest_share(framed)
    for number in range(LOOP_FRAMES):
        columns, rows = _sources(number, framed.neck, *shares)
        frame = cv2.remap(
            lids.shut(lids_at(number)), columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
        )
        yield np.asarray(frame, np.uint8)


def placements(framed: Framed, mouth: MouthPlace) -> list[Affine]:
    """For each frame of the loop, from the mouth's crop to the frame."""
    placed = []
    for number in range(LOOP_FRAMES):
        motion = head_motion(number, framed.neck)
        motion[:, 2] = motion @ np.array([mouth.left, mouth.top, 1.0])
        placed.append(rounded(motion))
    return placed


def _sources(
    number: int, neck: tuple[float, float], head_share: Plane, chest_share: Plane
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """For every pixel of the frame, the column and row of the framed picture it comes from."""
    rows, columns = np.mgrid[0:FRAME_PX, 0:FRAME_PX].astype(np.float64)
    back = cv2.invertAffineTransform(head_motion(number, neck))
    across = back[0, 0] * columns + back[0, 1] * rows + back[0, 2] - columns
    down = back[1, 0] * columns + back[1, 1] * rows + back[1, 2] - rows
    breathed = -breath(number) * chest_share
    return (
        (columns + across * head_share + MARGIN_PX).astype(np.float32),
        (rows + down * head_share + breathed * (1 - head_share) + MARGIN_PX).astype(np.float32),
    )


def _head_share(framed: Framed, mouth: MouthPlace) -> Plane:
    """1 on the face, its hair and the mouth's crop, falling to 0 around them."""
    low, high = framed.points.min(axis=0), framed.points.max(axis=0)
    size = high - low
    low = low - size * np.array([_HAIR_BESIDE, _HAIR_ABOVE])
    high = high + size * np.array([_HAIR_BESIDE, 0])
    low = np.minimum(low, [mouth.left - 3, mouth.top - 3])
    high = np.maximum(high, np.array([mouth.left, mouth.top]) + mouth.size_px + 3)
    places = np.arange(FRAME_PX, dtype=np.float64)
    beside = np.maximum(np.maximum(low[0] - places, places - high[0]), 0)
    above = np.maximum(np.maximum(low[1] - places, places - high[1]), 0)
    share = np.clip(1 - np.hypot(above[:, None], beside[None, :]) / _FADES_OVER_PX, 0, 1)
    return np.asarray(share * share * (3 - 2 * share))


def _chest_share(framed: Framed) -> Plane:
    """0 down to the chin, 1 from a quarter of the face's height below it."""
    chin = framed.points[CHIN, 1]
    quarter = 0.25 * (chin - framed.points[FOREHEAD, 1])
    share = np.clip((np.arange(FRAME_PX) - chin) / quarter, 0, 1)
    return np.repeat((share * share * (3 - 2 * share))[:, None], FRAME_PX, axis=1)
