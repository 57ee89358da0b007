"""Estimates are sensible from the first reply, learn from finished ones, and progress never moves back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reply.estimates import Estimates, Rate, ReplyState, likely_language
from gateway.reply.events import ProgressEvent
from gateway.reply.progress import Progress


def asked(**known: object) -> ReplyState:
    state = ReplyState("en", "embedded/tiny", "ava", wants_speech=True, wants_video=True)
    for name, value in known.items():
        setattr(state, name, value)
    return state


def completed(characters: int, pace: float) -> ReplyState:
    """A conversation that took 1 s to its first word, then 100 characters a second."""
    speech_seconds = characters * 0.07
    return asked(
        characters=characters,
        spoken_characters=characters,
        first_text_at=1.0,
        text_at=1.0 + characters / 100,
        first_speech_at=1.6,
        speech_at=2.0 + characters / 100,
        speech_seconds=speech_seconds,
        first_fragment_at=2.0,
        first_fragment_seconds=0.32,
        video_seconds=speech_seconds,
        rendering_seconds=speech_seconds * pace,
    )


def test_the_first_estimate_after_a_start_is_neither_zero_nor_endless() -> None:
    eta = Estimates().eta(asked(), 0.0)
    assert 0.5 < eta.starts_in_seconds < eta.eta_seconds < 60


def test_a_longer_text_takes_longer() -> None:
    estimates = Estimates()
    etas = [estimates.eta(asked(expected_characters=n), 0.0).eta_seconds for n in (20, 200, 2000)]
    assert etas == sorted(etas)
    assert etas[2] > 5 * etas[1] > 10 * etas[0]


def test_a_chinese_character_takes_longer_to_say_than_a_latin_one() -> None:
    estimates = Estimates()
    per_character = Rate.SPEECH_SECONDS_PER_CHARACTER
    assert estimates.rate(per_character, "zh-CN") > 2 * estimates.rate(per_character, "en-US")
    assert (likely_language("你好，世界"), likely_language("Hello, 世界")) == ("zh", "en")


def test_it_comes_to_know_a_slow_machine() -> None:
    estimates = Estimates()
    before = estimates.eta(asked(expected_characters=400), 0.0).eta_seconds
    for _ in range(10):
        estimates.learn_reply(completed(400, pace=2.0))
    after = estimates.eta(asked(expected_characters=400), 0.0).eta_seconds
    assert after > 3 * before
    assert after == pytest.approx(400 * 0.07 * 2.0, rel=0.1)


def test_a_face_slower_than_its_voice_waits_so_that_it_never_stalls() -> None:
    estimates = Estimates()
    estimates.learn(Rate.RENDER_SECONDS_PER_SECOND, "ava", 2.0)
    state = asked(expected_characters=0, text_at=0.0, speech_at=0.1, first_speech_at=0.1, speech_seconds=10.0)
    eta = estimates.eta(state, 0.1)
    assert eta.starts_in_seconds == pytest.approx(eta.eta_seconds - 10.0)


def test_one_language_learns_nothing_from_another_it_knows() -> None:
    estimates = Estimates()
    estimates.learn(Rate.SPEECH_SECONDS_PER_CHARACTER, "en", 0.1)
    estimates.learn(Rate.SPEECH_SECONDS_PER_CHARACTER, "de", 0.2)
    assert estimates.rate(Rate.SPEECH_SECONDS_PER_CHARACTER, "en") == pytest.approx(0.1)


def test_a_model_never_seen_is_thought_to_be_like_the_others() -> None:
    estimates = Estimates()
    estimates.learn(Rate.FIRST_DELTA_SECONDS, "known", 3.0)
    assert estimates.rate(Rate.FIRST_DELTA_SECONDS, "unknown") == pytest.approx(3.0)


def test_a_voice_is_learned_on_its_own_and_thought_to_be_like_others_of_its_language() -> None:
    estimates = Estimates()
    per_character = Rate.SPEECH_SECONDS_PER_CHARACTER
    estimates.learn(per_character, "en/slow", 0.2)
    assert estimates.rate(per_character, "en/slow") == pytest.approx(0.2)
    assert estimates.rate(per_character, "en/other") == pytest.approx(0.2)
    estimates.learn(per_character, "en/quick", 0.05)
    assert estimates.rate(per_character, "en/slow") == pytest.approx(0.2)
    assert estimates.rate(per_character, "zh/slow") > 0.2


def test_each_provider_is_learned_on_its_own_and_a_new_one_thought_to_be_like_the_last() -> None:
    estimates = Estimates()
    per_character = Rate.SPEECH_SECONDS_PER_CHARACTER
    for provider, pace in (("embedded", 0.2), ("google", 0.05)):
        state = completed(400, pace=0.2)
        state.speech_provider, state.writer = provider, f"{provider}/tiny"
        state.speech_seconds = 400 * pace
        state.first_text_at = pace
        estimates.learn_reply(state)
    assert estimates.rate(per_character, asked(speech_provider="embedded", voice="ava").speaker) == 0.2
    assert estimates.rate(per_character, asked(speech_provider="google").speaker) == 0.05
    assert 0.05 < estimates.rate(per_character, asked(speech_provider="openai").speaker) < 0.2
    assert estimates.rate(Rate.FIRST_DELTA_SECONDS, "google/large") == 0.05
    assert estimates.rate(Rate.FIRST_DELTA_SECONDS, "embedded/tiny") == 0.2


def test_speaking_faster_shortens_the_reply_and_is_not_learned_as_the_voices_own_pace() -> None:
    estimates = Estimates()
    normal = estimates.eta(asked(expected_characters=400), 0.0).eta_seconds
    assert estimates.eta(asked(expected_characters=400, speaking_rate=2.0), 0.0).eta_seconds < 0.6 * normal
    fast = completed(400, pace=0.2)
    fast.speaking_rate = 2.0
    estimates.learn_reply(fast)
    assert estimates.rate(Rate.SPEECH_SECONDS_PER_CHARACTER, "en") == pytest.approx(0.14)


def test_what_is_late_is_expected_later_the_longer_it_takes() -> None:
    starts = [Estimates().eta(asked(expected_characters=40), now).starts_in_seconds for now in (2, 10, 60)]
    assert starts == sorted(starts)
    assert starts[-1] > 20


def test_no_more_is_remembered_than_there_is_room_for_and_the_newest_stays() -> None:
    estimates = Estimates()
    for number in range(3_000):
        estimates.learn(Rate.REPLY_CHARACTERS, f"model-{number}", number)
    assert len(estimates.learned) == 1_000
    assert estimates.rate(Rate.REPLY_CHARACTERS, "model-2999") == 2999
    assert (Rate.REPLY_CHARACTERS, "") in estimates.learned


@given(st.lists(st.tuples(st.floats(0, 5), st.integers(0, 400), st.floats(0, 10)), max_size=30))
def test_progress_never_moves_back_and_waits_below_one(steps: list[tuple[float, int, float]]) -> None:
    now = 0.0
    progress = Progress(asked(), Estimates(), lambda: now)
    fractions = [progress.event().fraction]
    for seconds, characters, video_seconds in steps:
        now += seconds
        progress.state.characters += characters
        progress.state.video_seconds += video_seconds
        fractions.append(progress.event().fraction)
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 0.99 for fraction in fractions)


async def test_progress_is_told_when_something_changes_and_only_then() -> None:
    now = 0.0
    progress = Progress(asked(), Estimates(), lambda: now)
    told: list[ProgressEvent] = []
    first = asyncio.Event()

    async def emit(event: ProgressEvent) -> None:
        told.append(event)
        first.set()

    telling = asyncio.create_task(progress.tell(emit))
    await first.wait()
    first.clear()
    progress.wait_in_queue(1)
    await first.wait()
    telling.cancel()
    assert [event.queue_position for event in told] == [0, 1]
