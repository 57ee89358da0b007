"""The bytes of a video clip go in, its pictures come out one by one; what is no short clip is refused.

A clip of 20 to 30 pictures a second is shown at the loop's 25, a little slower or faster than it was taken:
left out or doubled pictures would be seen. Of faster clips every second, third … picture is taken. Nobody
listens to its sound.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass

import av
import numpy as np
from av.container import InputContainer

from services.lipsync.portrait.photo import Pixels, UnusablePortrait

MOST_BYTES = 48 << 20
LEAST_SECONDS, MOST_SECONDS = 2.0, 10.0
# A decoder keeps up to 16 pictures.
MOST_PIXELS = 2560 * 1440
_SMALLEST_SIDE_PX = 64
# Clocks are not exact: so many seconds, or pictures a second, are no reason to refuse.
_CLOSE = 0.05
_LOOP_FPS, _LEAST_FPS, _MOST_FPS = 25, 20, 240
# A named demuxer opens no playlist, which could name other files.
_DEMUXERS = {
    "video/mp4": "mp4",
    "video/quicktime": "mov",
    "video/x-m4v": "mp4",
    "video/webm": "webm",
    "video/x-matroska": "matroska",
}
MEDIA_TYPES = frozenset(_DEMUXERS)
_DECODERS = frozenset({"h264", "hevc", "vp8", "vp9", "libdav1d", "av1", "mpeg4", "mjpeg", "prores"})
# Of the pictures: an MP4 may hide some of its first ones.
_LEAST_SHARE = 0.5
_DAMAGED = "The clip is damaged and cannot be read. Save it again."
_CANNOT_READ = "This clip cannot be read. Save it as an MP4 with H.264."


@dataclass(frozen=True, slots=True)
class Clip:
    """A clip that is not yet decoded. Every `step`-th of its pictures is taken: `count` in all."""

    data: bytes
    demuxer: str
    step: int
    count: int
    seconds: float

    def time_of(self, picture: int) -> float:
        """When a picture is seen in the clip, in seconds."""
        return picture * self.seconds / self.count

    def pictures(self) -> Iterator[Pixels]:
        """Yields (height, width, 3) RGB, upright, at most `count` of them.

        Raises:
            UnusablePortrait: the clip is damaged.
        """
        taken = 0
        try:
            with _opened(self.data, self.demuxer) as container:
                size = None
                for number, picture in enumerate(container.decode(video=0)):
                    size = size or (picture.width, picture.height)
                    if size != (picture.width, picture.height):
                        raise UnusablePortrait("The clip's pictures change their size. Save it again.")
                    if number % self.step or number // self.step >= self.count:
                        continue
                    taken += 1
                    yield _upright(picture)
        except (av.FFmpegError, ValueError):
            raise UnusablePortrait(_DAMAGED) from None
        # Pictures that build on one that was cut away are left out by decoders without a word.
        if taken < self.count * _LEAST_SHARE:
            raise UnusablePortrait(_DAMAGED)


def clip_of(data: bytes, media_type: str) -> Clip:
    """What there is to know of a clip without decoding it.

    Raises:
        UnusablePortrait: not a clip of that kind, of no known codec, too long, too short, or too large.
    """
    demuxer = _DEMUXERS[media_type]
    try:
        with _opened(data, demuxer) as container:
            stream = container.streams.video[0]
            codec = stream.codec_context
            if codec.name not in _DECODERS:
                raise UnusablePortrait(f"The clip's codec, {codec.name}, is not served. Save it with H.264.")
            _check_size(codec.width, codec.height)
            times = [
                float(packet.pts * packet.time_base)
                for packet in container.demux(stream)
                if packet.pts is not None and packet.time_base is not None
            ]
    except (av.FFmpegError, IndexError, ValueError):
        raise UnusablePortrait(_CANNOT_READ) from None
    if len(times) < 2 or max(times) <= min(times):
        raise UnusablePortrait(f"The clip holds one picture. Send {LEAST_SECONDS:g} to {MOST_SECONDS:g} s.")
    shown = max(times) - min(times)
    rate = (len(times) - 1) / shown
    seconds = shown + 1 / rate
    if not LEAST_SECONDS - _CLOSE <= seconds <= MOST_SECONDS + _CLOSE:
        raise UnusablePortrait(
            f"The clip lasts {seconds:.1f} s, it must last {LEAST_SECONDS:g} to {MOST_SECONDS:g} s. Cut it."
        )
    if not _LEAST_FPS - _CLOSE <= rate <= _MOST_FPS + _CLOSE:
        raise UnusablePortrait(
            f"The clip has {rate:.0f} pictures a second, {_LEAST_FPS} to {_MOST_FPS} are needed. "
            "Film in good light, at 25 or 30."
        )
    step = max(1, round(rate / _LOOP_FPS))
    return Clip(data, demuxer, step, -(-len(times) // step), seconds)


def _opened(data: bytes, demuxer: str) -> InputContainer:
    container = av.open(io.BytesIO(data), "r", format=demuxer, metadata_errors="ignore")
    for stream in container.streams.video:
        stream.thread_count = 1
    return container


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS:
        raise UnusablePortrait(
            f"The clip's pictures have {width}x{height} pixels, 2560x1440 are allowed. Save it at 1080p."
        )
    if min(width, height) < _SMALLEST_SIDE_PX:
        raise UnusablePortrait(f"The clip's pictures have only {width}x{height} pixels. Send a larger clip.")


def _upright(picture: av.VideoFrame) -> Pixels:
    _check_size(picture.width, picture.height)
    turns = round(picture.rotation / 90) % 4
    return np.asarray(np.rot90(picture.to_ndarray(format="rgb24"), turns), np.uint8)
