"""Photos for tests, drawn from a face that this project made: nobody's likeness is needed."""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

import services.lipsync

Pixels = NDArray[np.uint8]

_POSTER = Path(services.lipsync.__path__[0]) / "models" / "avatars" / "ava" / "poster.jpg"


@cache
def face() -> Pixels:
    """One frontal face with shoulders, (512, 512, 3) RGB."""
    pixels = np.asarray(Image.open(_POSTER).convert("RGB"), np.uint8)
    pixels.flags.writeable = False
    return pixels


def turned(degrees: float) -> Pixels:
    """The face, its picture turned in its plane."""
    turn = cv2.getRotationMatrix2D((256, 256), degrees, 1)
    return np.asarray(cv2.warpAffine(face(), turn, (512, 512), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def covered_mouth() -> Pixels:
    """The face behind a mask."""
    pixels = face().copy()
    pixels[270:400, 165:350] = (120, 160, 170)
    return pixels


def bearded() -> Pixels:
    """The face with a full beard."""
    rows, columns = np.mgrid[0:512, 0:512]
    beard = ((rows > 295) & (rows < 400) & (abs(columns - 256) < 95)).astype(np.float64)
    beard[300:338, 212:300] = 0
    beard = np.asarray(cv2.GaussianBlur(beard, (0, 0), 4), np.float64)
    beard *= 0.4 + 0.4 * np.random.default_rng(0).random(beard.shape)
    return np.asarray(face() * (1 - beard[..., None]) + 30 * beard[..., None], np.uint8)


def darker() -> Pixels:
    """The face with dark skin in dim light."""
    return np.asarray((face() / 255.0) ** 1.5 * (190, 160, 140), np.uint8)


def encoded(pixels: Pixels, kind: str = "PNG", exif_orientation: int = 1) -> bytes:
    """An image file of `pixels`."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = exif_orientation
    Image.fromarray(pixels).save(file, kind, exif=exif)
    return file.getvalue()
