"""A count of frames goes in, the boundaries of its fragments come out, the same on every worker."""

from __future__ import annotations

from collections.abc import Iterator

# 0.32 s: the shortest time into which whole frames and whole AAC frames (1024 samples at 48 kHz) both fit.
FRAMES_PER_UNIT = 8
LONGEST_FRAGMENT_FRAMES = 48
FRAMES_PER_SECOND = 25


def fragment_spans(frames_total: int) -> Iterator[tuple[int, int]]:
    """Yields (first frame, frame count) of each fragment: 8, 16, 24 … 48, 48, and what is left.

    The first is short because somebody waits for it; later ones are longer because each costs an IDR frame.
    """
    first, longest = 0, FRAMES_PER_UNIT
    while first < frames_total:
        count = min(longest, frames_total - first)
        yield first, count
        first += count
        longest = min(longest + FRAMES_PER_UNIT, LONGEST_FRAGMENT_FRAMES)
