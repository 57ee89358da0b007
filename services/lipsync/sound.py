"""A 48 kHz waveform goes in, AAC frames come out that join those of another utterance without a seam."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, repeat

import av
import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 48_000
SAMPLES_PER_AAC_FRAME = 1024
BIT_RATE = 96_000


def aac_frames(waveform: NDArray[np.float32]) -> Iterator[bytes]:
    """Yields one raw AAC-LC frame per 1024 samples of `waveform`, a multiple of 1024 samples long.

    An AAC frame's window spans 2048 samples. The encoder's first frame covers the 1024 samples before the
    waveform; it is dropped, so that frame n decodes to samples n * 1024 onwards, without delay. A decoder
    overlaps the previous utterance's last window there instead, which is silent as long as both sides of a
    joint are silent for 1024 samples.

    Raises:
        ValueError: the waveform is not a multiple of 1024 samples long.
    """
    count, rest = divmod(len(waveform), SAMPLES_PER_AAC_FRAME)
    if rest:
        raise ValueError(f"{len(waveform)} samples are no multiple of {SAMPLES_PER_AAC_FRAME}")
    encoder = av.CodecContext.create("aac", "w")
    encoder.sample_rate = SAMPLE_RATE_HZ
    encoder.layout = "mono"
    encoder.format = "fltp"
    encoder.bit_rate = BIT_RATE
    encoder.time_base = Fraction(1, SAMPLE_RATE_HZ)
    priming = 1
    # The first None makes the encoder give out what it still holds.
    for block in chain(waveform.reshape(count, SAMPLES_PER_AAC_FRAME), repeat(None, 1)):
        for packet in encoder.encode(None if block is None else _audio_frame(block)):
            if priming:
                priming -= 1
            else:
                yield bytes(packet)


def _audio_frame(block: NDArray[np.float32]) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(block[None], format="fltp", layout="mono")
    frame.sample_rate = SAMPLE_RATE_HZ
    return frame
