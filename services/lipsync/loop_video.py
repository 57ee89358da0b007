"""Frames (h, w, 3) uint8 RGB of an idle loop go in, its silent H.264 video comes out."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import IO

import av
import cv2
import numpy as np
from numpy.typing import NDArray

_FPS = 25
_BT601 = 6  # SMPTE 170M in ISO/IEC 23091-2, for primaries, transfer and matrix alike
_LIMITED_RANGE = 1


def write_loop(frames: Iterable[NDArray[np.uint8]], file: str | IO[bytes], *, crf: int, preset: str) -> None:
    """Encode the frames, BT.601 limited range and tagged so; one thread, so the bytes repeat.

    OpenCV's conversion is BT.601 limited range and rounds; swscale's darkens by more than one level.
    """
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=_FPS)
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, _FPS)
        stream.options = {"crf": str(crf), "preset": preset, "threads": "1"}
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = _BT601
        context.color_range = _LIMITED_RANGE
        for number, pixels in enumerate(frames):
            if number == 0:
                stream.height, stream.width = pixels.shape[:2]
            planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))
