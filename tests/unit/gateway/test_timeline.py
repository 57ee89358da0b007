"""Utterances of any length lie on the frame grid, silent at every joint."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.media.timeline import FPS, GRID_FRAMES, JOINT_SECONDS, Timeline, samples_per_frame
from gateway.reply.events import Word

RATES = st.sampled_from([16_000, 22_050, 24_000, 48_000])


def loud(samples: int) -> bytes:
    return np.full(samples, 1000, "<i2").tobytes()


@given(RATES, st.lists(st.integers(1, 100_000), min_size=1, max_size=5))
def test_every_utterance_lies_on_the_grid_and_follows_the_one_before(
    rate_hz: int, lengths: list[int]
) -> None:
    timeline = Timeline()
    frame = 0
    for index, samples in enumerate(lengths):
        placed = timeline.place("x", loud(samples), rate_hz, ())
        assert (placed.index, placed.start_frame) == (index, frame)
        assert placed.frame_count % GRID_FRAMES == 0
        assert len(placed.pcm) == placed.frame_count * samples_per_frame(rate_hz) * 2
        frame += placed.frame_count
    assert timeline.end_frame == frame


@given(RATES, st.integers(1, 100_000))
def test_both_sides_of_a_joint_are_silent_and_no_sample_is_lost(rate_hz: int, samples: int) -> None:
    timeline = Timeline()
    joint = int(np.ceil(JOINT_SECONDS * rate_hz))
    for _ in range(2):
        pcm = np.frombuffer(timeline.place("x", loud(samples), rate_hz, ()).pcm, "<i2")
        assert not pcm[:joint].any()
        assert not pcm[-joint:].any()
        assert np.count_nonzero(pcm) == samples


def test_words_move_to_the_place_of_their_utterance() -> None:
    timeline = Timeline()
    first = timeline.place("one", loud(24_000), 24_000, ())
    second = timeline.place("two", loud(24_000), 24_000, [Word(text="two", start_seconds=0.5, end_seconds=1)])
    assert second.words[0].start_seconds == pytest.approx(first.duration_seconds + 0.08 + 0.5)
    assert second.words[0].end_seconds == pytest.approx(first.duration_seconds + 0.08 + 1)


def test_the_lips_have_time_to_part_before_the_first_sound() -> None:
    timeline = Timeline()
    starts = [
        np.flatnonzero(np.frombuffer(timeline.place("x", loud(24_000), 24_000, ()).pcm, "<i2"))[0]
        for _ in range(2)
    ]
    assert starts == [2880, 1920]


def test_the_rest_is_silence_after_the_last_utterance() -> None:
    timeline = Timeline()
    placed = timeline.place("x", loud(24_000), 24_000, ())
    rest = timeline.rest(24_000)
    assert rest.is_rest
    assert (rest.index, rest.start_frame) == (1, placed.frame_count)
    assert not any(rest.pcm)
    assert timeline.end_frame == placed.frame_count + rest.frame_count
    assert timeline.count == 1


def test_a_rate_without_whole_frames_is_refused() -> None:
    with pytest.raises(ValueError, match="11024 Hz"):
        samples_per_frame(11_024)


def test_frames_are_those_of_the_video() -> None:
    assert samples_per_frame(24_000) * FPS == 24_000
