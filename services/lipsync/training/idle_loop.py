"""Rendered pictures in, the idle loop out: frames (512,512,3) uint8 RGB and their video.

The head moves as one similarity, so that a mouth can be placed by an affine; below it the motion fades into
the chest's, which only breathes; the wall behind stands still.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.framing import EYES, FPS, FRAME_PX, MARGIN_PX, RENDER_PX
from services.lipsync.training.head_pictures import HeadPictures, Pixels, backdrop, over
from services.lipsync.training.rig import LID_STATES
from services.lipsync.training.sway import LOOP_FRAMES, breath, head_motion

BLINK_STARTS = (58, 143)  # irregular, and far from the loop's joint
BLINK = (0.30, 0.80, 1.0, 1.0, 0.80, 0.50, 0.25, 0.10)  # lids shut fast and open slowly
_HEAD_ENDS_ROW, _CHEST_BEGINS_ROW = 402, 500  # of the frame; between them one motion fades into the other
_QUALITY_CRF = 13
_BT601 = 6  # SMPTE 170M in ISO/IEC 23091-2, for primaries, transfer and matrix alike
_LIMITED_RANGE = 1


def lids_at(frame: int) -> float:
    """How far the lids are shut, 0..1."""
    for start in BLINK_STARTS:
        if 0 <= frame - start < len(BLINK):
            return BLINK[frame - start]
    return 0.0


def loop_frames(pictures: HeadPictures) -> Iterator[NDArray[np.uint8]]:
    """Yield LOOP_FRAMES frames."""
    lids = pictures.lids(len(LID_STATES))
    wall = backdrop(RENDER_PX)[MARGIN_PX : MARGIN_PX + FRAME_PX, MARGIN_PX : MARGIN_PX + FRAME_PX]
    for frame in range(LOOP_FRAMES):
        portrait = pictures.portrait.copy()
        portrait[EYES.rows, EYES.columns, :3] += _lid_change(lids, lids_at(frame))
        columns, rows = _sources(frame)
        moved = np.asarray(cv2.remap(portrait, columns, rows, cv2.INTER_CUBIC), np.float32).clip(0, 1)
        yield np.rint(over(moved, wall).clip(0, 1) * 255).astype(np.uint8)


def write_loop(frames: Iterable[NDArray[np.uint8]], file: Path) -> None:
    """Encode the frames as silent H.264, BT.601 limited range and tagged so; one thread, so the bytes repeat.

    OpenCV's conversion is BT.601 limited range and rounds; swscale's darkens by more than one level.
    """
    with av.open(str(file), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width = stream.height = FRAME_PX
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, FPS)
        stream.options = {"crf": str(_QUALITY_CRF), "preset": "veryslow", "threads": "1"}
        context = stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = _BT601
        context.color_range = _LIMITED_RANGE
        for pixels in frames:
            planes = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2YUV_I420), np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(planes, format="yuv420p")))
        container.mux(stream.encode(None))


def _lid_change(lids: Pixels, shut: float) -> Pixels:
    """The states before and after `shut`, faded into each other."""
    at = float(np.interp(shut, LID_STATES, range(len(LID_STATES))))
    before = min(int(at), len(LID_STATES) - 2)
    change: Pixels = lids[before] * np.float32(before + 1 - at) + lids[before + 1] * np.float32(at - before)
    return change


def _sources(frame: int) -> tuple[Pixels, Pixels]:
    """For every pixel of the frame, the column and row of the render it comes from."""
    rows, columns = np.mgrid[0:FRAME_PX, 0:FRAME_PX].astype(np.float64)
    back = cv2.invertAffineTransform(head_motion(frame))
    head = back[:, :2] @ np.stack([columns.ravel(), rows.ravel()]) + back[:, 2:]
    head_columns, head_rows = head.reshape(2, FRAME_PX, FRAME_PX)
    chest_share = np.clip((rows - _HEAD_ENDS_ROW) / (_CHEST_BEGINS_ROW - _HEAD_ENDS_ROW), 0, 1)
    chest_share = chest_share * chest_share * (3 - 2 * chest_share)
    chest_columns, chest_rows = columns + MARGIN_PX, rows + MARGIN_PX - breath(frame)
    source_columns = head_columns + chest_share * (chest_columns - head_columns)
    source_rows = head_rows + chest_share * (chest_rows - head_rows)
    return source_columns.astype(np.float32), source_rows.astype(np.float32)
