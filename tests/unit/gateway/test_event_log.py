"""One log per reply, in memory and on a server: ids without gaps, one end, any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import TypeAlias

import pytest

from gateway.callers import Caller
from gateway.reply.event_log import (
    EventLog,
    LogEnded,
    LogFull,
    MemoryEventLog,
    UnknownReply,
    followed,
)
from gateway.reply.events import TextDelta
from tests.fakes.event_logs import DONE, begin, valkey_log

Opened: TypeAlias = Callable[..., Awaitable[EventLog]]


@pytest.fixture(params=["memory", "valkey"])
async def opened(request: pytest.FixtureRequest) -> AsyncIterator[Opened]:
    """Gives a log with a reply `a` in it, of which there is the first event."""
    url = request.getfixturevalue("valkey") if request.param == "valkey" else ""
    async with AsyncExitStack() as stack:

        async def opened(max_events: int = 100, max_replies: int = 10) -> EventLog:
            log: EventLog = MemoryEventLog(max_events, max_replies)
            if url:
                log = await stack.enter_async_context(valkey_log(url, max_events, max_replies))
            await begin(log, url, "a")
            return log

        yield opened


async def test_ids_count_from_one(opened: Opened) -> None:
    log = await opened()
    ids = [(await log.append("a", TextDelta(delta=str(n)))).id for n in range(3)]
    assert ids == [2, 3, 4]
    assert [event.id for event in await log.read("a", 2)] == [3, 4]


async def test_what_is_read_is_what_was_appended(opened: Opened) -> None:
    log = await opened()
    said = TextDelta(delta="“Grüß Gott”,\n月亮 \u2028 🌕")
    appended = [await log.append("a", said), await log.append("a", DONE)]
    first, *later = await log.read("a")
    assert (first.id, first.type, first.data["reply_id"]) == (1, "accepted", "a")
    assert later == appended
    assert await log.last("a") == appended[-1]
    assert [event.data for event in appended] == [said.data(), DONE.data()]
    assert [event.at for event in later] == [event.at for event in appended]


async def test_nothing_follows_the_terminal_event(opened: Opened) -> None:
    log = await opened()
    await log.append("a", DONE)
    with pytest.raises(LogEnded):
        await log.append("a", TextDelta(delta="late"))
    with pytest.raises(LogEnded):
        await log.append("a", DONE)


async def test_a_full_log_still_takes_its_end(opened: Opened) -> None:
    log = await opened(max_events=3)
    await log.append("a", TextDelta(delta="1"))
    await log.append("a", TextDelta(delta="2"))
    with pytest.raises(LogFull):
        await log.append("a", TextDelta(delta="3"))
    assert (await log.append("a", DONE)).id == 4


async def test_it_knows_who_asked(opened: Opened, valkey: str) -> None:
    log = await opened()
    await begin(log, valkey, "b", Caller("somebody"))
    assert (await log.owner("a"), await log.owner("b")) == ("anonymous", "somebody")
    with pytest.raises(UnknownReply):
        await log.owner("c")


async def test_nobody_appends_to_a_log_that_is_not_there(opened: Opened) -> None:
    log = await opened()
    with pytest.raises(UnknownReply):
        await log.append("b", DONE)
    with pytest.raises(UnknownReply):
        await log.take("b")


async def test_a_reader_waits_for_what_is_to_come(opened: Opened) -> None:
    log = await opened()
    waiting = asyncio.create_task(log.read("a", 1, wait_seconds=60))
    await asyncio.sleep(0)
    await log.append("a", TextDelta(delta="here"))
    assert [event.data["delta"] for event in await waiting] == ["here"]


async def test_a_reader_is_not_kept_waiting_after_the_end(opened: Opened) -> None:
    log = await opened()
    await log.append("a", DONE)
    assert await log.read("a", 2, wait_seconds=3600) == []


async def test_followers_hear_all_from_wherever_they_start(opened: Opened) -> None:
    log = await opened()

    async def heard(after: int) -> list[int]:
        return [event.id async for event in followed(log, "a", after) if event is not None]

    readers = [asyncio.create_task(heard(after)) for after in range(1, 5)]
    for n in range(3):
        await log.append("a", TextDelta(delta=str(n)))
        await asyncio.sleep(0)
    await log.append("a", DONE)
    assert await asyncio.gather(*readers) == [[2, 3, 4, 5], [3, 4, 5], [4, 5], [5]]


async def test_an_idle_follower_is_told_so(opened: Opened) -> None:
    log = await opened()
    events = followed(log, "a", 1, idle_seconds=0.01)
    assert await anext(events) is None
    await events.aclose()


async def test_following_ends_when_the_log_is_removed(opened: Opened) -> None:
    log = await opened()
    events = followed(log, "a", idle_seconds=60)
    assert await anext(events) is not None
    waiting = asyncio.create_task(anext(events, "ended"))
    await asyncio.sleep(0)
    await log.remove("a")
    assert await waiting == "ended"
    with pytest.raises(UnknownReply):
        await log.read("a")


async def test_following_ends_when_the_process_does(opened: Opened) -> None:
    log = await opened()
    events = followed(log, "a", 1, idle_seconds=60)
    waiting = asyncio.create_task(anext(events, "ended"))
    await asyncio.sleep(0)
    await log.close()
    assert await waiting == "ended"
    assert len(await log.read("a")) == 1


async def test_only_logs_that_ended_long_ago_are_forgotten(opened: Opened, valkey: str) -> None:
    log = await opened()
    await begin(log, valkey, "b")
    await log.append("b", DONE)
    assert await log.remove_older(3600) == []
    assert await log.remove_older(-1) == ["b"]
    assert len(await log.read("a")) == 1
    with pytest.raises(UnknownReply):
        await log.read("b")


async def test_beyond_the_bound_the_one_that_ended_first_is_forgotten(opened: Opened, valkey: str) -> None:
    log = await opened(max_replies=2)
    await begin(log, valkey, "b")
    await log.append("b", DONE)
    await begin(log, valkey, "c")
    assert await log.last("a") is not None
    assert await log.last("c") is not None
    with pytest.raises(UnknownReply):
        await log.last("b")
