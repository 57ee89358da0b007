"""A photo's pixels go in, the one face in it comes out as points; a face that cannot be used is refused."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.photo import Pixels, UnusablePortrait

Points = NDArray[np.float64]

SMALLEST_FACE_PX = 80
_DETECTION_SIDE_PX = 640
# A second face this much smaller stands in the background.
_BYSTANDER = 0.45
_MOST_ROLL_DEGREES = 22.0
# Where the nose's tip lies between the face's sides, and between eyes and mouth.
_FRONTAL_ACROSS, _FRONTAL_DOWN = (0.32, 0.68), (0.30, 0.85)
_MOST_DISAGREEMENT = 0.3
_WIDEST_GAP = 0.42
# Lips and the line between them vary by 18 % and more around their mean brightness, even behind a beard.
_LEAST_LIP_CONTRAST = 0.08
_LIPS_PX = 64
_MARGIN = 1.5

# Points of MediaPipe's mesh, "left" as seen in the picture.
LEFT_CORNER, RIGHT_CORNER = 61, 291
LEFT_SIDE, RIGHT_SIDE, FOREHEAD, CHIN, NOSE_TIP, NOSE_BASE = 234, 454, 10, 152, 1, 2
UPPER_LIP_TOP, LOWER_LIP_BOTTOM = 0, 17
UPPER_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)
# Corner, upper lid, corner; then the lower lid between the same corners.
EYE_LIDS = (
    ((33, 246, 161, 160, 159, 158, 157, 173, 133), (33, 7, 163, 144, 145, 153, 154, 155, 133)),
    ((362, 398, 384, 385, 386, 387, 388, 466, 263), (362, 382, 381, 380, 374, 373, 390, 249, 263)),
)


@dataclass(frozen=True, slots=True)
class Face:
    """`points` (468, 2) of the mesh in the photo's pixels."""

    points: Points


def only_face(pixels: Pixels, models: FaceModels) -> Face:
    """The one frontal face in a photo.

    Raises:
        UnusablePortrait: none, several, too small, turned away, cut off, or its mouth cannot be seen.
    """
    found = _found(pixels, models)
    x, y, width, height = found[:4]
    if width < SMALLEST_FACE_PX:
        raise UnusablePortrait(
            f"The face is only {width:.0f} pixels wide, {SMALLEST_FACE_PX} are needed. Send a larger picture."
        )
    eyes = found[4:8].reshape(2, 2)
    points = models.mesh(pixels, _placed(eyes, np.array([x + width / 2, y + height / 2]), max(width, height)))
    # Seen once more, centred on what was seen first.
    low, high = points.min(axis=0), points.max(axis=0)
    points = models.mesh(pixels, _placed(points[[33, 263]], (low + high) / 2, float(max(high - low))))
    _check(pixels, points, found[10:14].reshape(2, 2))
    return Face(points)


def _found(pixels: Pixels, models: FaceModels) -> NDArray[np.float64]:
    scale = min(1.0, _DETECTION_SIDE_PX / max(pixels.shape[:2]))
    small = pixels
    if scale < 1:
        small = np.asarray(
            cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    faces = models.faces(small).astype(np.float64)
    if not len(faces):
        raise UnusablePortrait(
            "No face was found. Send a picture of a face seen from the front, in good light."
        )
    faces = faces[np.argsort(-faces[:, 2])]
    if len(faces) > 1 and faces[1, 2] > _BYSTANDER * faces[0, 2]:
        count = int((faces[:, 2] > _BYSTANDER * faces[0, 2]).sum())
        raise UnusablePortrait(f"There are {count} faces. Send a picture of one person, or cut it out.")
    largest: NDArray[np.float64] = faces[0]
    largest[:14] /= scale
    return largest


def _placed(eyes: Points, centre: Points, extent: float) -> Points:
    """(2, 3) from the photo to the unit square around the face, with level eyes."""
    across = eyes[1] - eyes[0]
    across = across / np.linalg.norm(across) / (extent * _MARGIN)
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]])
    return np.column_stack([turn, 0.5 - turn @ centre])


def _check(pixels: Pixels, points: Points, seen_corners: Points) -> None:
    """`seen_corners` of the mouth are the detector's: both networks must agree on a mouth in plain view."""
    inside = (points >= -2).all() and (points <= np.array([pixels.shape[1], pixels.shape[0]]) + 2).all()
    if not inside:
        raise UnusablePortrait("The face is cut off at the picture's edge. Send one that shows it whole.")
    across = points[263] - points[33]
    roll = float(np.degrees(np.arctan2(across[1], across[0])))
    if abs(roll) > _MOST_ROLL_DEGREES:
        raise UnusablePortrait(f"The head is tilted by {abs(roll):.0f} degrees. Turn the picture upright.")
    axis = across / np.linalg.norm(across)
    level = points @ np.array([[axis[0], -axis[1]], [axis[1], axis[0]]])
    sides = level[[LEFT_SIDE, RIGHT_SIDE], 0]
    turned = (level[NOSE_TIP, 0] - sides[0]) / (sides[1] - sides[0])
    eyes, mouth = level[[33, 263], 1].mean(), level[[LEFT_CORNER, RIGHT_CORNER], 1].mean()
    raised = (level[NOSE_TIP, 1] - eyes) / (mouth - eyes)
    if (
        not _FRONTAL_ACROSS[0] < turned < _FRONTAL_ACROSS[1]
        or not _FRONTAL_DOWN[0] < raised < _FRONTAL_DOWN[1]
    ):
        raise UnusablePortrait("The face is turned away. Send a picture that looks straight at the camera.")
    corners = points[[LEFT_CORNER, RIGHT_CORNER]]
    width = float(np.linalg.norm(corners[1] - corners[0]))
    disagreement = np.linalg.norm(corners - seen_corners, axis=1).max() / width
    if disagreement > _MOST_DISAGREEMENT or _lip_contrast(pixels, corners) < _LEAST_LIP_CONTRAST:
        raise UnusablePortrait("The mouth cannot be seen clearly. Send a picture without anything before it.")
    if np.linalg.norm(points[14] - points[13]) > _WIDEST_GAP * width:
        raise UnusablePortrait("The mouth is wide open. Send a picture with the mouth closed, or a smile.")


def _lip_contrast(pixels: Pixels, corners: Points) -> float:
    """How much brightness varies between the corners of a mouth, as a share of its mean."""
    across = (corners[1] - corners[0]) / _LIPS_PX
    down = np.array([-across[1], across[0]])
    first = corners.mean(axis=0) - (across + down) * (_LIPS_PX - 1) / 2
    back = np.column_stack([across, down, first])
    size = (_LIPS_PX, _LIPS_PX)
    lips = cv2.warpAffine(pixels, back, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    edge = _LIPS_PX // 5
    brightness = np.asarray(lips, np.float64)[edge:-edge, edge:-edge].mean(axis=2)
    return float(brightness.std() / max(brightness.mean(), 1.0))
