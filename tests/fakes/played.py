"""Media bytes go in, what a player makes of them comes out: pictures, sound, packets."""

from __future__ import annotations

import io
from dataclasses import dataclass
from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class TimedPacket:
    """When it is shown and for how long, in seconds."""

    start: Fraction
    duration: Fraction
    is_key: bool


def pictures_of(media: bytes) -> list[av.VideoFrame]:
    with av.open(io.BytesIO(media), "r") as container:
        return list(container.decode(video=0))


def sound_of(media: bytes) -> NDArray[np.float32]:
    """Samples at 48 kHz."""
    with av.open(io.BytesIO(media), "r") as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def packets_of(media: bytes) -> dict[str, list[TimedPacket]]:
    """The packets of "video" and of "audio", in order."""
    packets: dict[str, list[TimedPacket]] = {"video": [], "audio": []}
    with av.open(io.BytesIO(media), "r") as container:
        for packet in container.demux():
            if packet.pts is not None and packet.duration is not None:
                base = packet.time_base
                picked = TimedPacket(packet.pts * base, packet.duration * base, packet.is_keyframe)
                packets[packet.stream.type].append(picked)
    return packets
