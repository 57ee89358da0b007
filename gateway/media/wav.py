"""PCM goes in, a WAV file comes out; also the header of one whose length is not yet known."""

from __future__ import annotations

import struct

HEADER_BYTES = 44
_RATE = struct.Struct("<I")
_RATE_AT = 24
_UNKNOWN_BYTES = 0xFFFFFFFF - HEADER_BYTES


def wav_header(sample_rate_hz: int, pcm_bytes: int | None) -> bytes:
    """RIFF header of mono 16-bit PCM; `pcm_bytes` None: as long as the stream goes on."""
    size = _UNKNOWN_BYTES if pcm_bytes is None else pcm_bytes
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        b"RIFF",
        size + HEADER_BYTES - 8,
        b"WAVE",
        b"fmt ",
        16,
        1,
        1,
        sample_rate_hz,
        sample_rate_hz * 2,
        2,
        16,
        b"data",
        size,
    )


def sample_rate_of(wav: bytes) -> int:
    """Of a file with such a header."""
    rate: int = _RATE.unpack_from(wav, _RATE_AT)[0]
    return rate
