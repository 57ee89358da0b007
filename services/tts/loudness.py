"""A waveform goes in, the same waveform at an even loudness comes out (ITU-R BS.1770-5, EBU R 128)."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

TARGET_LUFS = -19.0
# One decibel below full scale leaves room for what encoding overshoots.
PEAK = 10 ** (-1 / 20)
_BLOCK_SECONDS, _STEP_SECONDS = 0.4, 0.1
_ABSOLUTE_GATE_LUFS, _RELATIVE_GATE_LU = -70.0, -10.0
# The two K-weighting filters, given by the standard for 48 kHz: numerator and denominator in powers of 1/z.
_FILTER_RATE_HZ = 48_000
_SHELF = ((1.53512485958697, -2.69169618940638, 1.19839281085285), (1.0, -1.69065929318241, 0.73248077421585))
_HIGH_PASS = ((1.0, -2.0, 1.0), (1.0, -1.99004745483398, 0.99007225036621))
# Filtered in pieces of one size, whose response is worked out once: 15 times as quick as a whole, which
# may well have a prime number of samples. What rings on longer than that moves no loudness by 0.0001 LU.
_FFT_SAMPLES, _RINGING_SAMPLES = 16_384, 4_096
_LIMITER_BLOCK_SECONDS = 0.001
_LIMITER_LOOK_BLOCKS = 5


def loudness_lufs(waveform: NDArray[np.float32], rate_hz: int) -> float:
    """Gated loudness; -inf where everything lies below the gates. Shorter than a block: one block."""
    if waveform.size == 0:
        return -np.inf
    weighted = _k_weighted(waveform, rate_hz)
    block = min(round(_BLOCK_SECONDS * rate_hz), weighted.size)
    starts = np.arange(0, weighted.size - block + 1, round(_STEP_SECONDS * rate_hz))
    energy = np.concatenate([[0.0], np.cumsum(weighted.astype(np.float64) ** 2)])
    power = (energy[starts + block] - energy[starts]) / block
    power = power[_lufs(power) > _ABSOLUTE_GATE_LUFS]
    if power.size == 0:
        return -np.inf
    power = power[_lufs(power) > _lufs(power.mean()) + _RELATIVE_GATE_LU]
    return float(_lufs(power.mean()))


def levelled(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """The waveform at TARGET_LUFS with no sample beyond PEAK; silence stays silence."""
    loudness = loudness_lufs(waveform, rate_hz)
    if not np.isfinite(loudness):
        return waveform
    louder = waveform * np.float32(10 ** ((TARGET_LUFS - loudness) / 20))
    once = _limited(louder, rate_hz)
    if once is louder:
        return louder
    # Limiting takes some loudness away, so what is lost is given back once.
    lost = TARGET_LUFS - loudness_lufs(once, rate_hz)
    return _limited(once * np.float32(10 ** (lost / 20)), rate_hz)


def _lufs(power: NDArray[np.float64] | np.float64) -> NDArray[np.float64]:
    return -0.691 + 10 * np.log10(np.maximum(power, 1e-12))


def _k_weighted(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """By overlap-save: each piece begins with as much of the one before as still rings in it."""
    step = _FFT_SAMPLES - _RINGING_SAMPLES
    padded = np.pad(waveform, (_RINGING_SAMPLES, -waveform.size % step))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, _FFT_SAMPLES)[::step]
    weighted = np.fft.irfft(np.fft.rfft(pieces) * _k_response(rate_hz)).astype(np.float32)
    return weighted[:, _RINGING_SAMPLES:].reshape(-1)[: waveform.size]


@cache
def _k_response(rate_hz: int) -> NDArray[np.complex64]:
    delay = np.exp(-2j * np.pi * np.fft.rfftfreq(_FFT_SAMPLES, 1 / rate_hz) / _FILTER_RATE_HZ)
    response: NDArray[np.complex64] = np.ones(delay.size, np.complex64)
    for numerator, denominator in (_SHELF, _HIGH_PASS):
        response *= np.polyval(numerator[::-1], delay) / np.polyval(denominator[::-1], delay)
    return response


def _limited(waveform: NDArray[np.float32], rate_hz: int) -> NDArray[np.float32]:
    """Turns down around what would pass PEAK: the gain falls and rises over a few milliseconds."""
    if np.abs(waveform).max(initial=0) <= PEAK:
        return waveform
    block = round(_LIMITER_BLOCK_SECONDS * rate_hz)
    padded = np.pad(np.abs(waveform), (0, -waveform.size % block))
    needed = np.minimum(1, PEAK / np.maximum(padded.reshape(-1, block).max(axis=1), PEAK))
    width = 2 * _LIMITER_LOOK_BLOCKS + 1
    # A mean of minima never exceeds the need of the block in its middle, nor of that block's neighbours.
    around = np.pad(needed, 2 * _LIMITER_LOOK_BLOCKS, mode="edge")
    lowest = np.lib.stride_tricks.sliding_window_view(around, width).min(axis=1)
    smooth = np.lib.stride_tricks.sliding_window_view(lowest, width).mean(axis=1)
    centres = (np.arange(smooth.size) + 0.5) * block
    gain = np.interp(np.arange(waveform.size), centres, smooth)
    limited: NDArray[np.float32] = np.clip(waveform * gain, -PEAK, PEAK).astype(np.float32)
    return limited
