"""Pictures and AAC frames go in, CMAF fragments come out that play in a row behind one init segment.

Every fragment has a picture encoder and a muxer of its own, so its bytes depend on nothing but its content.
"""

from __future__ import annotations

import functools
import io
import struct
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction

import av
from av.container import OutputContainer

from services.lipsync import sound
from services.lipsync.schedule import FRAMES_PER_SECOND, FRAMES_PER_UNIT
from services.lipsync.timings import step

# Tells people and programs what they see: IPTC's digital source type for media made by a trained model.
SYNTHETIC_COMMENT = (
    "Synthetic media: the face and the voice were made by a machine. "
    "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
)
_PICTURE_SECONDS = Fraction(1, FRAMES_PER_SECOND)
_SAMPLE_SECONDS = Fraction(1, sound.SAMPLE_RATE_HZ)
# ITU-T H.273: BT.601 (SMPTE 170M), limited range.
_SMPTE_170M = 6
_LIMITED_RANGE = 1
_X264 = ":".join(
    (
        # x264 writes other bytes with other thread counts.
        "threads=1",
        "lookahead-threads=1",
        "sync-lookahead=0",
        "rc-lookahead=0",
        # One IDR frame at the beginning, then only P frames.
        "keyint=infinite",
        "scenecut=0",
        "bframes=0",
        "deblock=0,0",
        # Bounds a fragment of 48 frames to 0.9 MB, whatever it shows: it has to fit into one message.
        "vbv-maxrate=2500",
        "vbv-bufsize=2500",
        "colorprim=smpte170m",
        "transfer=smpte170m",
        "colormatrix=smpte170m",
        "range=tv",
    )
)
_VIDEO_OPTIONS = {"preset": "ultrafast", "crf": "22", "x264-params": _X264}
_MUX_OPTIONS = {
    # The timeline's own times (frag_discont), each fragment relative to itself, no samples in the moov.
    "movflags": "empty_moov+default_base_moof+frag_discont",
    "avoid_negative_ts": "disabled",
}


@dataclass(frozen=True, slots=True)
class Size:
    """Of a picture, in pixels, both even."""

    width_px: int
    height_px: int


@functools.lru_cache(maxsize=32)
def init_segment(size: Size) -> bytes:
    """ftyp and moov: the same for all pictures of that size. It says that the media is synthetic."""
    buffer = io.BytesIO()
    container, _ = _opened(buffer, 0, size)
    with closing(container):
        container.start_encoding()
    return b"".join(data for kind, data in top_level_boxes(buffer.getvalue()) if kind in (b"ftyp", b"moov"))


def mime_of(init: bytes) -> str:
    """The media type with its codecs (RFC 6381), for example video/mp4; codecs="avc1.42c015,mp4a.40.2"."""
    # ISO/IEC 14496-15: avcC holds its version, then profile, constraints and level.
    place = init.index(b"avcC") + 5
    return f'video/mp4; codecs="avc1.{init[place : place + 3].hex()},mp4a.40.2"'


def fragment(
    pictures: Iterable[av.VideoFrame], aac_frames: Iterable[bytes], first_frame: int, size: Size
) -> bytes:
    """moof and mdat of a multiple of 8 pictures, and of 15 AAC frames for each 8 of them.

    `first_frame` is the fragment's place on the reply's timeline, a multiple of 8. The first picture becomes
    an IDR frame. What the iterables raise passes through.
    """
    buffer = io.BytesIO()
    with step("open"):
        container, video = _opened(buffer, first_frame, size)
        container.start_encoding()
    with closing(container):
        for packet in _encoded(pictures, video, first_frame):
            container.mux(packet)
        audio = container.streams.audio[0]
        first_sample = first_frame * sound.SAMPLE_RATE_HZ // FRAMES_PER_SECOND
        for number, data in enumerate(aac_frames):
            container.mux(_audio_packet(data, first_sample + number * sound.SAMPLES_PER_AAC_FRAME, audio))
        with step("mux"):
            container.close()
    return b"".join(data for kind, data in top_level_boxes(buffer.getvalue()) if kind in (b"moof", b"mdat"))


def top_level_boxes(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yields (kind, whole box) of every box at the top of `data` (ISO/IEC 14496-12, 32-bit sizes)."""
    place = 0
    while place < len(data):
        size, kind = struct.unpack_from(">I4s", data, place)
        yield kind, data[place : place + size]
        place += size


def _opened(buffer: io.BytesIO, first_frame: int, size: Size) -> tuple[OutputContainer, av.VideoStream]:
    # The number only has to rise along the timeline (ISO/IEC 14496-12, 8.8.5).
    options = _MUX_OPTIONS | {"fragment_index": str(first_frame // FRAMES_PER_UNIT + 1)}
    container = av.open(buffer, "w", format="mp4", options=options)
    container.metadata["comment"] = SYNTHETIC_COMMENT
    video = container.add_stream("libx264", FRAMES_PER_SECOND, options=_VIDEO_OPTIONS)
    video.width, video.height, video.pix_fmt = size.width_px, size.height_px, "yuv420p"
    encoder = video.codec_context
    encoder.thread_count = 1
    encoder.time_base = _PICTURE_SECONDS
    encoder.color_primaries = encoder.color_trc = encoder.colorspace = _SMPTE_170M
    encoder.color_range = _LIMITED_RANGE
    # This encoder only describes the sound (one AAC encoder works through a whole utterance).
    audio = container.add_stream("aac", sound.SAMPLE_RATE_HZ)
    audio.layout, audio.bit_rate = "mono", sound.BIT_RATE
    return container, video


def _encoded(
    pictures: Iterable[av.VideoFrame], video: av.VideoStream, first_frame: int
) -> Iterator[av.Packet[av.VideoStream]]:
    for number, picture in enumerate(pictures, first_frame):
        picture.pts = number
        picture.time_base = _PICTURE_SECONDS
        with step("x264"):
            packets: Sequence[av.Packet[av.VideoStream]] = video.encode(picture)
        yield from packets
    yield from video.encode(None)


def _audio_packet(data: bytes, first_sample: int, stream: av.AudioStream) -> av.Packet[av.stream.Stream]:
    packet: av.Packet[av.stream.Stream] = av.Packet(data)
    packet.stream = stream
    packet.time_base = _SAMPLE_SECONDS
    packet.pts = packet.dts = first_sample
    packet.duration = sound.SAMPLES_PER_AAC_FRAME
    return packet
