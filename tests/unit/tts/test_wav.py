"""WAV files as servers write them, and as they should not."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from services.tts.wav import wav_samples


def wav(coding: int = 1, channels: int = 1, bits: int = 16, data: bytes = b"\x00\x40\x00\xc0") -> bytes:
    form = struct.pack("<HHIIHH", coding, channels, 24_000, 48_000 * channels, 2 * channels, bits)
    chunks = b"fmt " + struct.pack("<I", 16) + form + b"LIST\x03\0\0\0abc\0" + b"data"
    return b"RIFF\0\0\0\0WAVE" + chunks + struct.pack("<I", len(data)) + data


def test_samples_lie_between_minus_one_and_one() -> None:
    samples, rate_hz = wav_samples(wav())
    assert samples.tolist() == [0.5, -0.5]
    assert rate_hz == 24_000


def test_channels_are_averaged() -> None:
    assert wav_samples(wav(channels=2))[0].tolist() == [0.0]


def test_half_a_sample_at_the_end_is_left_out() -> None:
    assert wav_samples(wav(data=b"\x00\x40\x00"))[0].tolist() == [0.5]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_file_of_unknown_length_is_read_to_its_end(size: int) -> None:
    content = wav()
    streamed = content[:-8] + struct.pack("<I", size) + content[-4:]
    assert np.array_equal(wav_samples(streamed)[0], wav_samples(content)[0])


@pytest.mark.parametrize("content", [b"", b"ID3", wav(coding=3), wav(bits=8), wav(channels=0), wav()[:40]])
def test_anything_else_is_refused(content: bytes) -> None:
    with pytest.raises(ValueError, match="WAV"):
        wav_samples(content)
