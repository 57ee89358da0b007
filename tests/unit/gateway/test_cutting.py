"""Uploaded speech is cut where it is quiet, and nothing of it moves in time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.media.cutting import MAX_PIECE_SECONDS, speech_pieces
from gateway.media.timeline import GRID_FRAMES, samples_per_frame

RATE_HZ = 24_000
GRID = samples_per_frame(RATE_HZ) * GRID_FRAMES
LEAD = samples_per_frame(RATE_HZ)
JOINT = 512


def joined(pieces: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    return np.frombuffer(b"".join(pieces), "<i2")


@given(st.integers(1, 60 * RATE_HZ))
@settings(max_examples=30)
def test_pieces_lie_on_the_grid_and_are_silent_at_their_edges(samples: int) -> None:
    pieces = speech_pieces(np.full(samples, 1000, np.int16), RATE_HZ)
    for piece in pieces:
        pcm = np.frombuffer(piece, "<i2")
        assert pcm.size % GRID == 0
        assert pcm.size <= MAX_PIECE_SECONDS * RATE_HZ
        assert not pcm[:JOINT].any()
        assert not pcm[-JOINT:].any()
    assert samples + LEAD <= joined(pieces).size < samples + LEAD + JOINT + GRID


def test_a_pause_is_found_and_the_speech_around_it_left_alone() -> None:
    speech = np.random.default_rng(1).integers(-9000, 9000, 20 * RATE_HZ).astype(np.int16)
    pause = slice(9 * RATE_HZ, 10 * RATE_HZ)
    speech[pause] = 0
    pieces = speech_pieces(speech, RATE_HZ)
    assert len(pieces) == 2
    assert pause.start <= len(pieces[0]) / 2 - LEAD <= pause.stop
    # The first and the last joint of the whole are the only ones with sound beside them.
    middle = slice(JOINT * 2, speech.size - JOINT * 2)
    assert np.array_equal(joined(pieces)[LEAD:][: speech.size][middle], speech[middle])


def test_speech_without_a_pause_is_cut_all_the_same() -> None:
    tone = (9000 * np.sin(np.arange(40 * RATE_HZ) / 20)).astype(np.int16)
    pieces = speech_pieces(tone, RATE_HZ)
    assert len(pieces) == 4
    assert sum(map(len, pieces)) / 2 / RATE_HZ == pytest.approx(40, abs=0.5)


def test_short_speech_stays_whole() -> None:
    assert len(speech_pieces(np.full(RATE_HZ, 1000, np.int16), RATE_HZ)) == 1
