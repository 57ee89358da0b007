"""A position on the timeline goes in, a small CMAF fragment comes out, muxed as the video stage does."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from functools import cache

import av
import numpy as np

FPS = 25
SIDE_PX = 64
RATE_HZ = 48_000
AAC_SAMPLES = 1024
SAMPLES_PER_FRAME = RATE_HZ // FPS
MIME = 'video/mp4; codecs="avc1.42c00a,mp4a.40.2"'


@cache
def init_segment() -> bytes:
    """ftyp + moov."""
    return b"".join(data for kind, data in _boxes(_muxed(0, 8)) if kind in (b"ftyp", b"moov"))


@cache
def fragment(start_frame: int, frame_count: int) -> bytes:
    """moof + mdat of so many frames; the picture's brightness tells where it belongs."""
    boxes = _boxes(_muxed(start_frame, frame_count))
    return b"".join(data for kind, data in boxes if kind in (b"moof", b"mdat"))


@cache
def idle_loop() -> bytes:
    """A second of moving picture without sound."""
    return init_segment() + fragment(0, 24)


def poster() -> bytes:
    """A JPEG, small but whole."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width = encoder.height = SIDE_PX
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, FPS)
    return b"".join(bytes(packet) for packet in encoder.encode(_picture(0).reformat(format="yuvj420p")))


def _muxed(start_frame: int, frame_count: int) -> bytes:
    file = io.BytesIO()
    options = {
        "movflags": "empty_moov+default_base_moof+frag_discont",
        "avoid_negative_ts": "disabled",
        "fragment_index": str(start_frame // 8 + 1),
    }
    with av.open(file, "w", format="mp4", options=options) as output:
        video = output.add_stream("libx264", rate=FPS)
        video.width = video.height = SIDE_PX
        video.pix_fmt = "yuv420p"
        video.codec_context.time_base = Fraction(1, FPS)
        video.options = {"preset": "ultrafast", "profile": "baseline", "threads": "1", "bf": "0", "g": "48"}
        audio = output.add_stream("aac", rate=RATE_HZ)
        audio.layout = "mono"
        for index in range(frame_count):
            picture = _picture(start_frame + index)
            picture.pts = start_frame + index
            output.mux(video.encode(picture))
        output.mux(video.encode(None))
        first = start_frame * SAMPLES_PER_FRAME
        last = first + frame_count * SAMPLES_PER_FRAME
        for packet in (*audio.encode(_silence(frame_count)), *audio.encode(None)):
            assert packet.pts is not None
            # One frame of pre-roll and the encoder's own priming come before the fragment's first sample.
            packet.pts = packet.dts = packet.pts - AAC_SAMPLES + first
            if first <= packet.pts < last:
                output.mux(packet)
    return file.getvalue()


def _picture(frame: int) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.full((SIDE_PX, SIDE_PX, 3), frame % 200, np.uint8), format="rgb24")


def _silence(frame_count: int) -> av.AudioFrame:
    samples = np.zeros((1, AAC_SAMPLES * 2 + frame_count * SAMPLES_PER_FRAME), np.float32)
    frame = av.AudioFrame.from_ndarray(samples, format="fltp", layout="mono")
    frame.sample_rate = RATE_HZ
    frame.pts = 0
    return frame


def _boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 0
    while position < len(data):
        size = int.from_bytes(data[position : position + 4], "big")
        yield data[position + 4 : position + 8], data[position : position + size]
        position += size
