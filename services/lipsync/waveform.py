"""16-bit PCM of any rate goes in, a float32 waveform of another rate comes out."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
from numpy.typing import NDArray


def waveform_of(pcm: bytes) -> NDArray[np.float32]:
    """Mono 16-bit little-endian samples as numbers in -1..1."""
    return np.frombuffer(pcm, "<i2").astype(np.float32) / np.float32(32768)


def resampled(waveform: NDArray[np.float32], rate_hz: int, wanted_hz: int) -> NDArray[np.float32]:
    """The same sound at `wanted_hz`, without delay, len(waveform) * wanted_hz / rate_hz samples long.

    Raises:
        ValueError: that is not a whole number of samples.
    """
    samples, rest = divmod(len(waveform) * wanted_hz, rate_hz)
    if rest:
        raise ValueError(
            f"{len(waveform)} samples at {rate_hz} Hz are no whole number of samples at {wanted_hz} Hz"
        )
    if rate_hz == wanted_hz:
        return waveform
    frame = av.AudioFrame.from_ndarray(waveform[None], format="flt", layout="mono")
    frame.sample_rate = rate_hz
    frame.time_base = Fraction(1, rate_hz)
    frame.pts = 0
    resampler = av.AudioResampler(format="flt", layout="mono", rate=wanted_hz)
    parts = [part.to_ndarray()[0] for part in (*resampler.resample(frame), *resampler.resample(None))]
    converted = np.concatenate(parts)
    return np.pad(converted[:samples], (0, max(0, samples - len(converted))))
