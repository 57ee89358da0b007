"""One log per reply, in memory and on a server: ids without gaps, one end, any number of readers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TypeAlias

import pytest

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.event_log import (
    EventLog,
    LogEnded,
    LogFull,
    LogTaken,
    MemoryEventLog,
    UnknownReply,
    followed,
)
from gateway.reply.events import Done, TextDelta, Timings, Usage
from gateway.reply.ledger import MemoryLedger
from gateway.reply.register import MemoryRegister
from gateway.reply.repeats import MemoryRepeats
from gateway.reply.room import MemoryRoom
from gateway.valkey.connection import Client, connected
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.reader import StreamReader, reading
from tests.fakes.registers import entry, valkey_register

DONE = Done(status="completed", video_url=None, usage=Usage(), timings=Timings())
Opened: TypeAlias = Callable[..., Awaitable[EventLog]]


@asynccontextmanager
async def valkey_log(url: str, max_events: int = 100, max_replies: int = 10) -> AsyncIterator[ValkeyEventLog]:
    """The log of one process."""
    async with connected(url, patience_seconds=30) as client, reading(client) as reader:
        yield ValkeyEventLog(client, reader, max_events, max_replies, keep_seconds=3600)


async def begin(log: EventLog, url: str, reply_id: str, caller: Caller = NOBODY_IN_PARTICULAR) -> None:
    """A reply begins: its log has a first event."""
    if isinstance(log, ValkeyEventLog):
        async with connected(url) as client:
            await valkey_register(client, log=log).enter(entry(reply_id, caller))
    else:
        assert isinstance(log, MemoryEventLog)
        register = MemoryRegister(MemoryRoom(9), MemoryLedger({}), log, MemoryRepeats(9, 9))
        await register.enter(entry(reply_id, caller))


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


class Overtaken(StreamReader):
    """Meanwhile is called once, while a reply's reader makes ready to wait for what comes next."""

    def __init__(self, client: Client) -> None:
        super().__init__(client)
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def follow(self, reply_id: str, last: int) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            await meanwhile()
        await super().follow(reply_id, last)


@asynccontextmanager
async def overtaken(url: str) -> AsyncIterator[tuple[ValkeyEventLog, Overtaken]]:
    """A log with a reply `a` in it, and its reader."""
    async with connected(url) as client:
        reader = Overtaken(client)
        log = ValkeyEventLog(client, reader, 100, 10, keep_seconds=3600)
        await begin(log, url, "a")
        running = asyncio.create_task(reader.run())
        try:
            yield log, reader
        finally:
            reader.close()
            await reader.tell(reader.replica, {"kind": "look"})
            await running


async def test_a_reader_who_is_overtaken_by_another_one_misses_nothing(valkey: str) -> None:
    async with overtaken(valkey) as (log, reader):

        async def another_one_follows() -> None:
            for word in ("two", "three"):
                await log.append("a", TextDelta(delta=word))
            await reader.follow("a", 3)
            await log.append("a", TextDelta(delta="four"))
            assert [event.id for event in await reader.later("a", 3, 10)] == [4]

        reader.meanwhile = another_one_follows
        assert [event.id for event in await log.read("a", 1, 10)] == [2, 3, 4]


async def test_a_reply_that_goes_before_it_is_waited_for_is_unknown(valkey: str) -> None:
    async with overtaken(valkey) as (log, reader):
        reader.meanwhile = lambda: log.remove("a")
        with pytest.raises(UnknownReply):
            await log.read("a", 1, 10)


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


async def test_every_process_hears_what_one_of_them_appends(valkey: str) -> None:
    async with valkey_log(valkey) as here, valkey_log(valkey) as there:
        await begin(here, valkey, "a", Caller("somebody"))
        waiting = asyncio.create_task(there.read("a", 1, wait_seconds=60))
        await here.append("a", TextDelta(delta="1"))
        assert [event.data["delta"] for event in await waiting] == ["1"]
        assert await there.owner("a") == "somebody"
        ended = asyncio.create_task(there.read("a", 2, wait_seconds=60))
        await here.remove("a")
        with pytest.raises(UnknownReply):
            await ended


async def test_whoever_takes_a_log_shuts_out_who_had_it(valkey: str) -> None:
    async with valkey_log(valkey) as dead, valkey_log(valkey) as heir:
        await begin(dead, valkey, "a")
        await dead.append("a", TextDelta(delta="1"))
        with pytest.raises(LogTaken):
            await heir.append("a", TextDelta(delta="not mine"))
        await heir.take("a")
        with pytest.raises(LogTaken):
            await dead.append("a", TextDelta(delta="stale"))
        with pytest.raises(LogTaken):
            await dead.append("a", DONE)
        assert (await heir.append("a", DONE)).id == 3


async def test_a_cancelled_append_leaves_no_doubt(valkey: str) -> None:
    async with valkey_log(valkey) as log:
        await begin(log, valkey, "a")
        for number in range(20):
            writing = asyncio.create_task(log.append("a", TextDelta(delta=str(number))))
            await asyncio.sleep(0)
            writing.cancel()
        await log.append("a", DONE)
        events = await log.read("a")
        assert [event.id for event in events] == list(range(1, len(events) + 1))
        assert [event.type for event in events].count("done") == 1


async def test_one_connection_serves_any_number_of_readers(valkey: str) -> None:
    async with valkey_log(valkey) as log, connected(valkey) as client:
        await begin(log, valkey, "a")
        readers = [asyncio.create_task(log.read("a", 1, wait_seconds=60)) for _ in range(500)]
        await log.append("a", TextDelta(delta="1"))
        assert [len(events) for events in await asyncio.gather(*readers)] == [1] * 500
        following = [asyncio.create_task(log.read("a", 2, wait_seconds=60)) for _ in range(500)]
        await asyncio.sleep(0)
        before = (await client.info("stats"))["total_commands_processed"]
        await log.append("a", DONE)
        assert [len(events) for events in await asyncio.gather(*following)] == [1] * 500
        assert (await client.info("stats"))["total_commands_processed"] - before < 50


async def test_a_server_that_forgot_the_newest_events_is_told_them_again(valkey: str) -> None:
    async with valkey_log(valkey) as log, valkey_log(valkey) as there, connected(valkey) as client:
        await begin(log, valkey, "a")
        await log.append("a", TextDelta(delta="kept"))
        remembered = {key: await client.dump(key) or b"" for key in await client.keys("*:a")}
        for delta in ("forgotten", "also forgotten"):
            await log.append("a", TextDelta(delta=delta))
        seen = await there.read("a")
        waiting = asyncio.create_task(there.read("a", 4, wait_seconds=60))
        # As after a failover to a server that had not heard of them yet.
        for key, value in remembered.items():
            await client.restore(key, 0, value, replace=True)
        await log.append("a", TextDelta(delta="new"))
        events = await log.read("a")
        assert [event.data["delta"] for event in events[1:]] == ["kept", "forgotten", "also forgotten", "new"]
        assert events == seen + await waiting


async def test_whoever_took_a_log_over_goes_on_with_what_a_server_still_knows(valkey: str) -> None:
    async with valkey_log(valkey) as dead, valkey_log(valkey) as heir, connected(valkey) as client:
        await begin(dead, valkey, "a")
        await heir.take("a")
        remembered = {key: await client.dump(key) or b"" for key in await client.keys("*:a")}
        await heir.append("a", TextDelta(delta="forgotten"))
        for key, value in remembered.items():
            await client.restore(key, 0, value, replace=True)
        await heir.append("a", DONE)
        assert [event.type for event in await heir.read("a")] == ["accepted", "text_delta", "done"]


async def test_a_server_that_forgot_who_has_a_log_still_tells_two_apart(valkey: str) -> None:
    async with (
        valkey_log(valkey) as dead,
        valkey_log(valkey) as heir,
        valkey_log(valkey) as next_heir,
        connected(valkey) as client,
    ):
        await begin(dead, valkey, "a")
        remembered = {key: await client.dump(key) or b"" for key in await client.keys("*:a")}
        assert await heir.take("a") == 2
        for key, value in remembered.items():
            await client.restore(key, 0, value, replace=True)
        assert await next_heir.take("a") == 2
        with pytest.raises(LogTaken):
            await heir.append("a", DONE)
        assert (await next_heir.append("a", DONE)).id == 2
