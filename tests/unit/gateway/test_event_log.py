"""One log per reply: ids without gaps, one end, any number of readers."""

from __future__ import annotations

import asyncio

import pytest

from gateway.reply.event_log import LogEnded, LogFull, MemoryEventLog, UnknownReply, followed
from gateway.reply.events import Done, TextDelta, Timings, Usage

DONE = Done(status="completed", video_url=None, usage=Usage(), timings=Timings())


async def opened(max_events: int = 100, max_replies: int = 10) -> MemoryEventLog:
    log = MemoryEventLog(max_events, max_replies)
    await log.open("a")
    return log


async def test_ids_count_from_one() -> None:
    log = await opened()
    ids = [(await log.append("a", TextDelta(delta=str(n)))).id for n in range(3)]
    assert ids == [1, 2, 3]
    assert [event.id for event in await log.read("a", 1)] == [2, 3]


async def test_nothing_follows_the_terminal_event() -> None:
    log = await opened()
    await log.append("a", DONE)
    with pytest.raises(LogEnded):
        await log.append("a", TextDelta(delta="late"))
    with pytest.raises(LogEnded):
        await log.append("a", DONE)


async def test_a_full_log_still_takes_its_end() -> None:
    log = await opened(max_events=2)
    await log.append("a", TextDelta(delta="1"))
    await log.append("a", TextDelta(delta="2"))
    with pytest.raises(LogFull):
        await log.append("a", TextDelta(delta="3"))
    assert (await log.append("a", DONE)).id == 3


async def test_a_reader_waits_for_what_is_to_come() -> None:
    log = await opened()
    reading = asyncio.create_task(log.read("a", 0, wait_seconds=30))
    await asyncio.sleep(0)
    await log.append("a", TextDelta(delta="here"))
    assert [event.data["delta"] for event in await reading] == ["here"]


async def test_a_reader_is_not_kept_waiting_after_the_end() -> None:
    log = await opened()
    await log.append("a", DONE)
    assert await log.read("a", 1, wait_seconds=3600) == []


async def test_followers_hear_all_from_wherever_they_start() -> None:
    log = await opened()

    async def heard(after: int) -> list[int]:
        return [event.id async for event in followed(log, "a", after) if event is not None]

    readers = [asyncio.create_task(heard(after)) for after in range(4)]
    for n in range(3):
        await log.append("a", TextDelta(delta=str(n)))
        await asyncio.sleep(0)
    await log.append("a", DONE)
    assert await asyncio.gather(*readers) == [[1, 2, 3, 4], [2, 3, 4], [3, 4], [4]]


async def test_an_idle_follower_is_told_so() -> None:
    log = await opened()
    events = followed(log, "a", idle_seconds=0.01)
    assert await anext(events) is None
    await events.aclose()


async def test_following_ends_when_the_log_is_removed() -> None:
    log = await opened()
    events = followed(log, "a", idle_seconds=30)
    waiting = asyncio.create_task(anext(events, "ended"))
    await asyncio.sleep(0)
    await log.remove("a")
    assert await waiting == "ended"


async def test_only_logs_that_ended_long_ago_are_forgotten() -> None:
    log = await opened()
    await log.open("b")
    await log.append("b", DONE)
    assert await log.remove_older(3600) == []
    assert await log.remove_older(-1) == ["b"]
    assert await log.read("a") == []
    with pytest.raises(UnknownReply):
        await log.read("b")


async def test_beyond_the_bound_the_one_that_ended_first_is_forgotten() -> None:
    log = await opened(max_replies=2)
    await log.open("b")
    await log.append("b", DONE)
    await log.open("c")
    assert await log.last("a") is None
    assert await log.last("c") is None
    with pytest.raises(UnknownReply):
        await log.last("b")
