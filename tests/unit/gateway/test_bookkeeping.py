"""Whoever goes on with a reply counts what its log tells that it has cost."""

from __future__ import annotations

import time

import pytest

from gateway.reply.bookkeeping import resumed_journal
from gateway.reply.estimates import Estimates
from gateway.reply.event_log import MemoryEventLog
from gateway.reply.events import Event, FragmentEvent, LoggedEvent, TextDelta, TextOk, TextUsage
from gateway.reply.learned import Rate
from gateway.reply.made import made
from gateway.reply.orders import Order
from gateway.requests import ReplyRequest
from gateway.stages.faces import ChosenAvatar

MOON = {"messages": [{"role": "user", "content": "Tell me about the moon."}]}
FRAGMENTS = [
    FragmentEvent(index=0, url="0", start_seconds=0, duration_seconds=0.32, init_url="i", mime="video/mp4"),
    FragmentEvent(index=1, url="1", start_seconds=0.32, duration_seconds=1.92),
]


def resumed_usage(events: list[Event]) -> dict[str, float]:
    order = Order("r", ReplyRequest.model_validate(MOON), ChosenAvatar("ava"), "tiny", "")
    logged = [LoggedEvent(n, event.event_name, event.data()) for n, event in enumerate(events, 1)]
    estimates = Estimates()
    estimates.learn(Rate.RENDER_SECONDS_PER_SECOND, "ava", 0.25)
    journal = resumed_journal(order, MemoryEventLog(9, 9), estimates, made(logged), time.time())
    return journal.used().model_dump()


async def test_the_video_that_is_there_took_about_as_long_as_such_video_does() -> None:
    usage = resumed_usage([*FRAGMENTS])
    assert usage["render_seconds"] == pytest.approx(0.25 * 2.24)
    assert usage["video_seconds"] == pytest.approx(2.24)


async def test_what_the_model_counted_is_known_and_else_guessed_from_what_came() -> None:
    counted = TextUsage(prompt_tokens=9, completion_tokens=3)
    text = TextOk(text="A rock.", finish_reason="stop", usage=counted, eta_seconds=1)
    usage = resumed_usage([text])
    assert (usage["prompt_tokens"], usage["completion_tokens"], usage["render_seconds"]) == (9, 3, 0)
    broken_off = resumed_usage([TextDelta(delta="A "), TextDelta(delta="rock.")])
    assert broken_off["prompt_tokens"] > 0
    assert broken_off["completion_tokens"] == 2
