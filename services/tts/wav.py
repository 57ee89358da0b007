"""A WAV file's bytes go in, its samples and their rate come out; a file written as a stream is read too."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

_PCM, _EXTENSIBLE = 1, 0xFFFE
_RIFF_HEADER_BYTES, _CHUNK_HEADER_BYTES = 12, 8


def is_wav(content: bytes) -> bool:
    """Whether it begins as a WAV file does."""
    return content[:4] == b"RIFF" and content[8:12] == b"WAVE"


def wav_samples(content: bytes) -> tuple[NDArray[np.float32], int]:
    """Mono samples in -1…1 and their rate in Hz; the channels of a wider file are averaged.

    Raises:
        ValueError: it is no WAV file of 16-bit PCM.
    """
    channels = rate_hz = 0
    for name, body in _chunks(content):
        if name == b"fmt " and len(body) >= 16:
            coding, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", body)
            if coding not in (_PCM, _EXTENSIBLE) or bits != 16 or not channels or not rate_hz:
                raise ValueError("the WAV file does not hold 16-bit PCM")
        elif name == b"data" and rate_hz:
            return _mono(body, channels), rate_hz
    raise ValueError("the WAV file has no sound")


def pcm_samples(pcm: bytes) -> NDArray[np.float32]:
    """16-bit little-endian mono PCM as samples in -1…1; a half sample at the end is left out."""
    return _mono(pcm, channels=1)


def _mono(pcm: bytes, channels: int) -> NDArray[np.float32]:
    whole = len(pcm) - len(pcm) % (2 * channels)
    samples = np.frombuffer(pcm[:whole], "<i2").reshape(-1, channels).astype(np.float32)
    mono: NDArray[np.float32] = samples.mean(axis=1, dtype=np.float32) / np.float32(32_768)
    return mono


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not is_wav(content):
        raise ValueError("this is no WAV file")
    place = _RIFF_HEADER_BYTES
    while place + _CHUNK_HEADER_BYTES <= len(content):
        name, size = struct.unpack_from("<4sI", content, place)
        begin = place + _CHUNK_HEADER_BYTES
        # Who writes as it speaks knows no size yet: zero, or more than there is.
        end = len(content) if name == b"data" and size == 0 else min(begin + size, len(content))
        yield name, content[begin:end]
        place = end + size % 2
