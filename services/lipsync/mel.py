"""A 16 kHz waveform in, its log-mel spectrogram and the window behind each video frame out.

Training and serving both call this file, so a network always hears what it was trained on. The scale is
that of the Wav2Lip contract (Prajwal et al. 2020, audio parameters of the published network): a network
made for that contract can be served without any change.
"""

import functools
import math

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
HOP_SAMPLES = 200
WINDOW_SAMPLES = 800
BANDS = 80
LOWEST_HZ = 55.0
HIGHEST_HZ = 7_600.0
PREEMPHASIS = 0.97
COLUMNS_PER_WINDOW = 16
FRAMES_PER_SECOND = 25
SILENCE = np.float32(-4.0)

COLUMNS_PER_FRAME = SAMPLE_RATE_HZ / HOP_SAMPLES / FRAMES_PER_SECOND
_QUIETEST_AMPLITUDE = 1e-5
_LINEAR_BELOW_HZ = 1_000.0
_HZ_PER_MEL = 200.0 / 3.0
_LOG_STEP = math.log(6.4) / 27.0


def mel_spectrogram(
    waveform: NDArray[np.float32], filters: NDArray[np.float32] | None = None
) -> NDArray[np.float32]:
    """Return the (80, T) log-mel spectrogram of a mono 16 kHz waveform; T = samples // 200 + 1.

    `waveform` is 1-D with samples in about -1..1; the result lies within -4..4. `filters` replaces the
    (80, 401) filter bank: training imitates other vocal tracts with it. Raises ValueError for an empty or
    multi-channel waveform.
    """
    if waveform.ndim != 1 or waveform.size == 0:
        raise ValueError(
            f"a waveform is one-dimensional and not empty, this one has the shape {waveform.shape}"
        )
    emphasised = np.zeros(waveform.size + WINDOW_SAMPLES, np.float32)
    inner = emphasised[WINDOW_SAMPLES // 2 : WINDOW_SAMPLES // 2 + waveform.size]
    inner[:] = waveform
    inner[1:] -= np.float32(PREEMPHASIS) * waveform[:-1]
    columns = np.lib.stride_tricks.sliding_window_view(emphasised, WINDOW_SAMPLES)[::HOP_SAMPLES]
    amplitudes = np.abs(np.fft.rfft(columns * _hann(), axis=1)).astype(np.float32, copy=False)
    bands = amplitudes @ (mel_filters() if filters is None else filters).T
    decibels = 20.0 * np.log10(np.maximum(np.float32(_QUIETEST_AMPLITUDE), bands)) - 20.0
    scaled = np.clip(8.0 * ((decibels + 100.0) / 100.0) - 4.0, -4.0, 4.0)
    return np.ascontiguousarray(scaled.T, dtype=np.float32)


def mel_windows(
    spectrogram: NDArray[np.float32], first_frame: int, frames: int, offset_seconds: float
) -> NDArray[np.float32]:
    """Return the (frames, 1, 80, 16) windows behind video frames from `first_frame` on, at 25 fps.

    Columns before the beginning and after the end of the (80, T) spectrogram are silence.
    """
    starts = window_starts(first_frame, frames, offset_seconds)
    heard = mel_columns(spectrogram, int(starts[0]), int(starts[-1]) + COLUMNS_PER_WINDOW)
    windows = heard[:, starts[:, None] - starts[0] + np.arange(COLUMNS_PER_WINDOW)]
    return np.ascontiguousarray(windows.transpose(1, 0, 2)[:, None])


def mel_columns(spectrogram: NDArray[np.float32], first: int, end: int) -> NDArray[np.float32]:
    """Return the (80, end - first) columns from `first` on; outside of the (80, T) spectrogram is silence."""
    columns = np.arange(first, end)
    inside = (columns >= 0) & (columns < spectrogram.shape[1])
    heard = spectrogram[:, np.clip(columns, 0, spectrogram.shape[1] - 1)]
    return np.where(inside, heard, SILENCE).astype(np.float32, copy=False)


def window_starts(first_frame: int, frames: int, offset_seconds: float) -> NDArray[np.int64]:
    """Return the mel column at which each frame's window starts; negative before the waveform begins.

    That of frame i starts at column floor((i + offset_seconds / 0.04) * 3.2 + 0.5).
    """
    numbers = np.arange(first_frame, first_frame + frames) + offset_seconds * FRAMES_PER_SECOND
    starts: NDArray[np.int64] = np.floor(numbers * COLUMNS_PER_FRAME + 0.5).astype(np.int64)
    return starts


def mel_filters(frequency_scale: float = 1.0, lowest_hz: float = LOWEST_HZ) -> NDArray[np.float32]:
    """Return the (80, 401) Slaney filter bank, area-normalised.

    A `frequency_scale` below 1 makes the speaker's vocal tract look shorter, above 1 longer.
    Source: Slaney, Auditory Toolbox (1998): linear to 1 kHz, logarithmic above.
    """
    return _filters(frequency_scale, lowest_hz)


@functools.lru_cache(maxsize=32)
def _filters(frequency_scale: float, lowest_hz: float) -> NDArray[np.float32]:
    nyquist_hz = SAMPLE_RATE_HZ / 2
    edges = (
        _hz_of_mel(np.linspace(_mel_of_hz(lowest_hz), _mel_of_hz(HIGHEST_HZ), BANDS + 2)) * frequency_scale
    )
    # A stretched bank may not leave the spectrum: its last edges pile up, in order, just below the end.
    edges = np.minimum(edges, nyquist_hz - 10.0 + 0.1 * np.arange(BANDS + 2))
    bins_hz = np.linspace(0.0, nyquist_hz, WINDOW_SAMPLES // 2 + 1)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    triangles = np.maximum(
        0.0, np.minimum((bins_hz - low) / (centre - low), (high - bins_hz) / (high - centre))
    )
    filters: NDArray[np.float32] = (triangles * 2.0 / (high - low)).astype(np.float32)
    filters.flags.writeable = False
    return filters


def _mel_of_hz(hz: float) -> float:
    if hz < _LINEAR_BELOW_HZ:
        return hz / _HZ_PER_MEL
    return _LINEAR_BELOW_HZ / _HZ_PER_MEL + math.log(hz / _LINEAR_BELOW_HZ) / _LOG_STEP


def _hz_of_mel(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    knee = _LINEAR_BELOW_HZ / _HZ_PER_MEL
    return np.where(mel < knee, mel * _HZ_PER_MEL, _LINEAR_BELOW_HZ * np.exp(_LOG_STEP * (mel - knee)))


@functools.lru_cache(maxsize=1)
def _hann() -> NDArray[np.float32]:
    periodic = (0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)).astype(
        np.float32
    )
    periodic.flags.writeable = False
    return periodic
