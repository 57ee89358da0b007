"""Logs on a server: several processes, one of which appends, and servers that forget."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from gateway.callers import Caller
from gateway.reply.event_log import LogTaken, UnknownReply
from gateway.reply.events import TextDelta
from gateway.valkey.connection import Client, connected
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.reader import StreamReader
from tests.fakes.event_logs import DONE, begin, valkey_log


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
