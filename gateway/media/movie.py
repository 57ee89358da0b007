"""An init segment and all fragments, one after the other, go in; one finished MP4 and its poster come out.

Nothing is encoded again but the poster: packets are copied, and the index is put in front so that a player
can seek before it has everything.
"""

from __future__ import annotations

import io
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import av
from av.video.frame import VideoFrame

from gateway.media.timeline import FPS

# Shown by players and found by tools: the face and the voice are made by a machine.
NOTICE = "Synthetic media: the face and the voice in this video were made by a machine (Vis-à-vis)."


def finished_movie(growing: bytes) -> bytes:
    """The same picture and sound as one progressive MP4.

    Args:
        growing: ftyp + moov, then every moof + mdat in order.
    """
    with TemporaryDirectory() as folder:
        # The muxer reads its own output once more to move the index, so it needs a real file.
        finished = Path(folder) / "video.mp4"
        with (
            av.open(io.BytesIO(growing), "r", format="mp4") as source,
            av.open(str(finished), "w", format="mp4", options={"movflags": "+faststart"}) as copy,
        ):
            copy.metadata["comment"] = NOTICE
            streams = {
                stream.index: copy.add_stream_from_template(stream)
                for stream in (*source.streams.video, *source.streams.audio)
            }
            for packet in source.demux():
                if packet.dts is None:
                    continue
                packet.stream = streams[packet.stream.index]
                copy.mux(packet)
        return finished.read_bytes()


def poster(growing: bytes) -> bytes:
    """The first picture as JPEG."""
    with av.open(io.BytesIO(growing), "r", format="mp4") as source:
        frame = next(source.decode(video=0))
        return _jpeg(frame)


def _jpeg(frame: VideoFrame) -> bytes:
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height = frame.width, frame.height
    encoder.pix_fmt = "yuvj420p"
    encoder.time_base = Fraction(1, FPS)
    full_range = frame.reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in (*encoder.encode(full_range), *encoder.encode(None)))
