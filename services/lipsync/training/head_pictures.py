"""The folder of rendered pictures in; composed frames, mouths and lids as float32 RGB 0..1 out.

A mouth or a pair of lids enters a frame as what it *changes*, inside a soft oval, so whatever lies outside
the face (hair, backdrop, collar) is the resting frame's, exactly. A mouth's change is measured against the
resting crop of its own series, which also replaces the mouth of the resting frame.
"""

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.framing import EYES, MOUTH, RENDER_PX
from services.lipsync.training.identity import Wall

Pixels = NDArray[np.float32]

_OVAL_SOFTNESS = 0.22


class HeadPictures:
    """What `render_frames` wrote into `folder`, before a `wall`.

    Raises FileNotFoundError for a picture that is missing.
    """

    def __init__(self, folder: Path, wall: Wall) -> None:
        self._folder = folder
        self.portrait = self._portrait()
        self.backdrop = backdrop(RENDER_PX, wall)
        self.resting_frame = over(self.portrait, self.backdrop)

    def _portrait(self) -> Pixels:
        """(RENDER_PX,RENDER_PX,4) the neutral picture, its mouth taken from the mouths' series.

        Taken with more paths per pixel, its own line between the lips is sharper, and what is left of that
        line would show beside every rounded mouth.
        """
        portrait = _premultiplied(self._picture("neutral"))
        mouth = portrait[MOUTH.rows, MOUTH.columns, :3]
        mouth += (self._crop("mouth_0000") - mouth) * oval(MOUTH.width, MOUTH.height)[..., None]
        return portrait

    @property
    def resting_mouth(self) -> Pixels:
        """(S,S,3) the mouth's crop of the resting frame."""
        crop: Pixels = self.resting_frame[MOUTH.rows, MOUTH.columns]
        return crop

    def mouths(self, count: int) -> Pixels:
        """(N,S,S,3) the first `count` mouths; the first is the resting one."""
        crops = np.stack([self._mouth(number) for number in range(count)])
        changes = (crops - crops[0]) * oval(MOUTH.width, MOUTH.height)[..., None]
        mouths: Pixels = np.clip(self.resting_mouth + changes, 0, 1)
        return mouths

    def lids(self, count: int) -> Pixels:
        """(N,h,w,3) what each state of the lids changes in the box of the eyes; the first changes nothing.

        Unlike mouths these are measured against the resting frame itself, or its sharp catch-lights would
        shine through shut lids.
        """
        nothing = np.zeros((1, EYES.height, EYES.width, 3), np.float32)
        return np.concatenate([nothing, *(self._eye_change(f"lids_{number}") for number in range(1, count))])

    def gazes(self, count: int) -> Pixels:
        """(N,h,w,3) what each of the first `count` glances changes in the box of the eyes."""
        return np.concatenate([self._eye_change(f"gaze_{number}") for number in range(count)])

    def _mouth(self, number: int) -> Pixels:
        """(S,S,3) before the wall, which a moving jaw covers and uncovers."""
        crop = _premultiplied(self._picture(f"mouth_{number:04d}"))
        return over(crop, self.backdrop[MOUTH.rows, MOUTH.columns])

    def _eye_change(self, name: str) -> Pixels:
        change: Pixels = self._crop(name) - self.portrait[EYES.rows, EYES.columns, :3]
        return (change * oval(EYES.width, EYES.height)[..., None])[None]

    def _crop(self, name: str) -> Pixels:
        crop: Pixels = _premultiplied(self._picture(name))[..., :3]
        return crop

    def _picture(self, name: str) -> NDArray[np.uint8]:
        file = self._folder / f"{name}.png"
        picture = cv2.imread(str(file), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise FileNotFoundError(f"{file} is missing: run the step `frames` first")
        return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGRA2RGBA), np.uint8)


def backdrop(size: int, wall: Wall) -> Pixels:
    """(size,size,3) the wall with soft light behind the head."""
    rows, columns = np.mgrid[0:size, 0:size] / size - 0.5
    distance = np.hypot(columns, rows + 0.06)
    light = np.exp(-((distance / 0.52) ** 2))[..., None]
    shade: Pixels = (light * np.array(wall.middle) + (1 - light) * np.array(wall.edge)).astype(np.float32)
    return shade


def over(portrait: Pixels, behind: Pixels) -> Pixels:
    """Premultiplied (h,w,4) before (h,w,3)."""
    composed: Pixels = portrait[..., :3] + (1 - portrait[..., 3:]) * behind
    return composed


def oval(width: int, height: int) -> Pixels:
    """(height,width) 1 in the middle, 0 at the edges, with a smooth rim."""
    rows, columns = np.mgrid[0:height, 0:width]
    across = (columns + 0.5) / width * 2 - 1
    along = (rows + 0.5) / height * 2 - 1
    rim = np.clip((0.98 - np.hypot(across, along)) / _OVAL_SOFTNESS, 0, 1)
    soft: Pixels = (rim * rim * (3 - 2 * rim)).astype(np.float32)
    return soft


def _premultiplied(picture: NDArray[np.uint8]) -> Pixels:
    pixels: Pixels = (picture / 255).astype(np.float32)
    pixels[..., :3] *= pixels[..., 3:]
    return pixels
