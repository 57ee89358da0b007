"""Long speech goes in, pieces on the frame grid come out, cut where it is quiet: nothing is moved in time."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np
from numpy.typing import NDArray

from gateway.media.timeline import GRID_FRAMES, JOINT_SECONDS, samples_per_frame

MAX_PIECE_SECONDS = 12.0
_MIN_PIECE_SECONDS = 2.0
# Silence before the first sound: one frame, enough for a joint with what the player shows before.
_LEAD_FRAMES = 1
_FADE_SECONDS = 0.005
# Mean squares of 16-bit samples: −60 dB, and 3 dB more than the quietest.
_SILENCE = 33.0**2
_ABOUT_AS_QUIET = 2.0


def speech_pieces(samples: NDArray[np.int16], sample_rate_hz: int) -> list[bytes]:
    """PCM pieces, each a multiple of 8 frames and silent at its edges, together as long as the speech.

    Pieces have to end on the grid, so each cut is put at a quiet grid point of the last ten seconds that
    a piece may have; a joint's 43 ms are faded out there.

    Args:
        samples: mono speech, shape (n,).
        sample_rate_hz: a rate at which a frame is a whole number of samples.
    """
    grid = samples_per_frame(sample_rate_hz) * GRID_FRAMES
    joint = ceil(JOINT_SECONDS * sample_rate_hz)
    padded = _on_grid(samples, grid, samples_per_frame(sample_rate_hz) * _LEAD_FRAMES, joint)
    shortest = max(1, round(_MIN_PIECE_SECONDS * sample_rate_hz / grid))
    longest = int(MAX_PIECE_SECONDS * sample_rate_hz // grid)
    pieces = []
    start, end = 0, padded.size // grid
    while end - start > longest:
        candidates = range(start + shortest, start + longest + 1)
        cut = _latest_quiet(candidates, [_loudness(padded, point * grid, joint) for point in candidates])
        pieces.append(padded[start * grid : cut * grid])
        start = cut
    pieces.append(padded[start * grid :])
    return [_faded(piece, joint, int(_FADE_SECONDS * sample_rate_hz)).tobytes() for piece in pieces]


def _latest_quiet(points: Sequence[int], loudness: Sequence[float]) -> int:
    """The last point about as quiet as the quietest: longer pieces have fewer joints."""
    bound = max(_SILENCE, _ABOUT_AS_QUIET * min(loudness))
    return max(point for point, loud in zip(points, loudness, strict=True) if loud <= bound)


def _on_grid(samples: NDArray[np.int16], grid: int, lead: int, tail: int) -> NDArray[np.int16]:
    total = -(-(lead + samples.size + tail) // grid) * grid
    padded = np.zeros(total, "<i2")
    padded[lead : lead + samples.size] = samples
    return padded


def _loudness(samples: NDArray[np.int16], middle: int, reach: int) -> float:
    around = samples[middle - reach : middle + reach].astype(np.float64)
    return float(np.mean(around**2))


def _faded(piece: NDArray[np.int16], joint: int, fade: int) -> NDArray[np.int16]:
    gain = np.ones(piece.size, np.float32)
    ramp = np.linspace(0.0, 1.0, fade, dtype=np.float32)
    gain[:joint] = 0.0
    gain[joint : joint + fade] = ramp
    gain[piece.size - joint :] = 0.0
    gain[piece.size - joint - fade : piece.size - joint] = ramp[::-1]
    return (piece * gain).astype("<i2")
