"""A server's address in, the log of one process there out; a log and an id in, its reply has begun."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.event_log import EventLog, MemoryEventLog
from gateway.reply.events import Done, Timings, Usage
from gateway.reply.ledger import MemoryLedger
from gateway.reply.register import MemoryRegister
from gateway.reply.repeats import MemoryRepeats
from gateway.reply.room import MemoryRoom
from gateway.valkey.connection import connected
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.reader import reading
from tests.fakes.registers import entry, valkey_register

DONE = Done(status="completed", video_url=None, usage=Usage(), timings=Timings())


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
