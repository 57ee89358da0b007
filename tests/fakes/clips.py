"""Clips for tests: the face this project made, moved as a head moves, in real video files."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tests.fakes import portraits
from tests.fakes.portraits import Pixels

FPS = 25


def swaying(count: int, pixels: Pixels | None = None) -> Iterator[Pixels]:
    """`count` pictures (384, 384, 3) of a silent face that nods and sways."""
    for number in range(count):
        yield moved(number, portraits.face() if pixels is None else pixels)


def moved(number: int, pixels: Pixels) -> Pixels:
    """A picture of 512x512 as it is seen after `number` frames."""
    way = motion(number)
    return np.asarray(
        cv2.warpAffine(pixels, way, (384, 384), flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT_101),
        np.uint8,
    )


def motion(number: int) -> NDArray[np.float64]:
    """The way (2, 3) of a still picture's pixels to a clip's picture; it turns at frames 0, 25, 50 …"""
    turned = np.cos(np.pi * number / 25)
    way = cv2.getRotationMatrix2D((256, 420), 2.5 * turned, 0.75 * (1 + 0.01 * turned))
    way[:, 2] += (192 - 256 + 6 * turned, 300 - 420 + 3 * turned)
    return np.asarray(way, np.float64)


def clip(
    pictures: Iterable[Pixels], codec: str = "libx264", kind: str = "mp4", fps: int = FPS, crf: int = 16
) -> bytes:
    """A video file without sound."""
    file = io.BytesIO()
    with av.open(file, "w", format=kind) as container:
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": str(crf), "preset": "ultrafast", "deadline": "realtime", "cpu-used": "8"}
        for number, pixels in enumerate(pictures):
            if number == 0:
                stream.height, stream.width = pixels.shape[:2]
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        container.mux(stream.encode(None))
    return file.getvalue()
