"""Estimates are sensible from the first reply, learn from finished ones, and progress never moves back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.reply.estimates import SILENCE_SECONDS, Estimates, likely_language
from gateway.reply.events import ProgressEvent
from gateway.reply.learned import Rate
from gateway.reply.progress import Progress
from gateway.reply.reply_state import ReplyState
from gateway.stages.call import Absence
from gateway.stages.line import Line


def asked(**known: object) -> ReplyState:
    state = ReplyState("en", "embedded/tiny", "ava", wants_speech=True, wants_video=True)
    for name, value in known.items():
        setattr(state, name, value)
    return state


def completed(characters: int, pace: float) -> ReplyState:
    """A conversation that took 1 s to its first word, then 100 characters a second."""
    text_at = 1.0 + characters / 100
    state = asked(
        characters=characters,
        spoken_characters=characters,
        first_text_at=1.0,
        text_at=text_at,
        first_speech_at=1.6,
        speech_at=text_at + 1.0,
        speech_seconds=characters * 0.07 + SILENCE_SECONDS,
    )
    state.take_fragment(text_at, 0.32)
    state.take_fragment(text_at + pace * (state.speech_seconds - 0.32), state.speech_seconds)
    state.video_at = state.last_fragment_at + 0.1
    return state


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
    assert after == pytest.approx((400 * 0.07 + SILENCE_SECONDS) * 2.0, rel=0.1)


def test_a_face_slower_than_its_voice_waits_so_that_it_never_stalls() -> None:
    estimates = Estimates()
    estimates.learn(Rate.RENDER_SECONDS_PER_SECOND, "ava", 2.0)
    state = asked(expected_characters=0, text_at=0.0, speech_at=0.1, first_speech_at=0.1, speech_seconds=10.0)
    eta = estimates.eta(state, 0.1)
    assert eta.starts_in_seconds == pytest.approx(eta.eta_seconds - 10.0)
    assert eta.eta_seconds > 20


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
        state.speech_seconds = 400 * pace + SILENCE_SECONDS
        state.first_text_at = pace
        estimates.learn_reply(state)
    assert estimates.rate(
        per_character, asked(speech_provider="embedded", voice="ava").speaker
    ) == pytest.approx(0.2)
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


def test_once_everything_is_known_the_rest_is_told_to_the_tenth() -> None:
    estimates = Estimates()
    for _ in range(10):
        estimates.learn_reply(completed(200, pace=0.5))
    state = completed(300, pace=0.5)
    end = state.video_at or 0.0
    state.video_at = None
    for video_seconds in (4.0, 8.0, 16.0):
        state.video_seconds = video_seconds
        state.last_fragment_at = (state.text_at or 0.0) + 0.5 * (video_seconds - 0.32)
        for late in (0.0, 0.3):
            now = state.last_fragment_at + late
            assert now + estimates.eta(state, now).eta_seconds == pytest.approx(end, abs=0.1)


def test_a_reply_that_waits_for_its_turn_tells_how_long_and_goes_on_where_it_stood() -> None:
    now = 0.0
    state = asked(text_at=0.5, first_text_at=0.1, characters=100, first_speech_at=0.5, speech_seconds=7.0)
    progress = Progress(state, Estimates(), lambda: now)
    line = Line()
    with line.served(lambda: 20.0 - now):
        unhindered = progress.event()
        progress.wait_in_queue(line.join(lambda: 5.0, begun=False))
        waiting = progress.event()
        assert (unhindered.queue_position, waiting.queue_position) == (0, 1)
        assert waiting.eta_seconds - unhindered.eta_seconds == pytest.approx(20.0)
        assert waiting.starts_in_seconds - unhindered.starts_in_seconds == pytest.approx(20.0)
        now = 15.0
        assert progress.event().eta_seconds == pytest.approx(waiting.eta_seconds - 15.0, abs=0.11)
        now = 20.0
        progress.wait_in_queue(None)
        assert progress.event().eta_seconds == pytest.approx(unhindered.eta_seconds, abs=0.2)
        assert progress.event().queue_position == 0


def test_a_reply_that_is_asked_for_while_others_wait_expects_to_stand_behind_them() -> None:
    progress = Progress(asked(), Estimates(), lambda: 0.0)
    alone = progress.eta()
    progress.expect_queue(lambda: 30.0)
    assert progress.eta().starts_in_seconds == pytest.approx(30.0)
    assert progress.eta().eta_seconds == pytest.approx(
        30.0 + alone.eta_seconds - alone.starts_in_seconds, abs=0.1
    )


def test_a_stage_that_has_to_start_is_waited_for_as_long_as_the_last_time() -> None:
    now = 0.0
    estimates = Estimates()
    slow = Progress(asked(), estimates, lambda: now)
    slow.wait_in_queue(Absence("video"))
    now = 30.0
    slow.wait_in_queue(None)
    now = 0.0
    progress = Progress(asked(), estimates, lambda: now)
    alone = progress.eta()
    progress.wait_in_queue(Absence("video"))
    assert progress.eta().eta_seconds == pytest.approx(alone.eta_seconds + 30.0, abs=0.1)
    now = 29.0
    assert progress.eta().eta_seconds == pytest.approx(alone.eta_seconds + 1.0, abs=0.1)
    now = 60.0
    assert progress.eta().eta_seconds > alone.eta_seconds + 10.0


def test_stages_that_sleep_are_counted_before_anybody_misses_them_and_only_once() -> None:
    now = 0.0
    estimates = Estimates()
    for stage, seconds in (("speech", 5.0), ("video", 30.0)):
        estimates.learn(Rate.START_SECONDS, stage, seconds)
    progress = Progress(asked(), estimates, lambda: now)
    alone = progress.eta()
    progress.expect_starts(lambda: frozenset({"speech", "video"}))
    assert progress.eta().eta_seconds == pytest.approx(alone.eta_seconds + 35.0, abs=0.11)
    assert progress.eta().starts_in_seconds == pytest.approx(alone.starts_in_seconds + 35.0, abs=0.11)
    progress.state.first_speech_at = now = 5.0
    progress.wait_in_queue(Absence("video"))
    now = 25.0
    assert 10.0 <= progress.eta().starts_in_seconds < 12.0
    progress.wait_in_queue(None)
    progress.state.take_fragment(now, 0.32)
    assert progress.eta().starts_in_seconds == 0.0


def test_a_reply_that_had_to_wait_teaches_nothing_of_the_first_word_and_picture() -> None:
    estimates = Estimates()
    state = completed(100, pace=0.2)
    state.waited_seconds = 20.0
    estimates.learn_reply(state)
    assert not {rate for rate, _ in estimates.learned} & {
        Rate.FIRST_DELTA_SECONDS,
        Rate.FIRST_FRAGMENT_SECONDS,
    }


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
    progress.wait_in_queue(Line().join(lambda: 1.0, begun=False))
    await first.wait()
    telling.cancel()
    assert [event.queue_position for event in told] == [0, 1]
