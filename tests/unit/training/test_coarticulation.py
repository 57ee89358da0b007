"""Neighbouring visemes blend into smooth tracks, but a closure closes and a round vowel rounds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.lipsync.pose import CONTROLS, JAW, LIP_TEETH, PRESS, ROUND, ClosureGate, shut_poses
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.visemes import VISEMES, Segment

FRAME_SECONDS = 0.04
durations = st.floats(0.05, 0.25)
held_visemes = st.tuples(st.sampled_from(sorted(VISEMES)), durations)
neighbours = st.lists(held_visemes, min_size=1, max_size=5)


def spoken(held: list[tuple[str, float]], start_seconds: float = 0.5) -> list[Segment]:
    """The visemes one after the other, as speech has them."""
    segments = []
    for viseme, duration in held:
        segments.append(Segment(viseme, start_seconds, start_seconds + duration))
        start_seconds += duration
    return segments


def shown_during(track: np.ndarray, segment: Segment) -> np.ndarray:
    first = int(segment.start_seconds / FRAME_SECONDS)
    return track[first : int(np.ceil(segment.end_seconds / FRAME_SECONDS))]


@given(neighbours)
def test_every_control_stays_within_its_range(held: list[tuple[str, float]]) -> None:
    track = pose_track(spoken(held), 60)
    assert track.shape == (60, len(CONTROLS))
    assert track.dtype == np.float32
    assert ((track >= 0) & (track <= 1)).all()


@given(neighbours, st.floats(0.06, 0.2), neighbours)
def test_lips_meet_in_every_p_b_m_whatever_is_around(
    before: list[tuple[str, float]], duration: float, after: list[tuple[str, float]]
) -> None:
    segments = spoken([*before, ("pbm", duration), *after])
    closure = shown_during(pose_track(segments, 120), segments[len(before)])
    assert closure[:, PRESS].max() >= 0.85
    assert closure[closure[:, PRESS].argmax(), JAW] <= 0.3


@given(neighbours, st.floats(0.12, 0.3), neighbours)
def test_a_held_round_vowel_rounds_whatever_is_around(
    before: list[tuple[str, float]], duration: float, after: list[tuple[str, float]]
) -> None:
    segments = spoken([*before, ("uw", duration), *after])
    assert shown_during(pose_track(segments, 120), segments[len(before)])[:, ROUND].max() >= 0.6


@given(durations)
def test_the_lower_lip_reaches_the_teeth_in_f_and_v(duration: float) -> None:
    segments = spoken([("aa", 0.2), ("fv", duration), ("aa", 0.2)])
    assert shown_during(pose_track(segments, 60), segments[1])[:, LIP_TEETH].max() >= 0.75


@given(neighbours, st.integers(1, 20))
def test_speech_a_frame_later_is_the_same_track_a_frame_later(
    held: list[tuple[str, float]], late: int
) -> None:
    track = pose_track(spoken(held), 60)
    delayed = pose_track(spoken(held, 0.5 + late * FRAME_SECONDS), 60 + late)
    np.testing.assert_allclose(delayed[late:], track, atol=0.02)


def test_a_mouth_rests_where_nothing_is_said() -> None:
    track = pose_track(spoken([("aa", 0.2)], start_seconds=1.0), 75)
    assert track[:15].max() < 0.01
    assert track[-25:].max() < 0.01
    assert pose_track([], 10).max() == 0


def test_between_open_vowels_a_closure_is_short() -> None:
    """An [aba] with a b of 80 ms keeps the gated mouth shut for two to four frames, not longer."""
    segments = spoken([("aa", 0.25), ("pbm", 0.08), ("aa", 0.25)])
    shut = shut_poses(pose_track(segments, 60), ClosureGate(0.12, 0.62))
    speech = shut[int(0.6 / FRAME_SECONDS) : int(0.95 / FRAME_SECONDS)]
    assert 2 <= int((speech[:, JAW] < 0.05).sum()) <= 4
