"""Settings go in, the stores that replies need come out: of this process alone, or shared by all replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.rates import MemoryRates, Rates
from gateway.reply.claims import Claims, SoleClaims
from gateway.reply.estimates import Estimates
from gateway.reply.event_log import EventLog, MemoryEventLog
from gateway.reply.kept_estimates import kept_estimates
from gateway.reply.ledger import Ledger, MemoryLedger
from gateway.reply.register import MemoryRegister, Register
from gateway.reply.repeats import MemoryRepeats
from gateway.reply.room import MemoryRoom, Room
from gateway.settings import GatewaySettings
from gateway.stages.tickets import NoTickets, Tickets
from gateway.valkey.claims import claiming
from gateway.valkey.connection import Client, connected
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.ledger import ValkeyLedger
from gateway.valkey.rates import ValkeyRates
from gateway.valkey.reader import reading
from gateway.valkey.register import ValkeyRegister
from gateway.valkey.room import ValkeyRoom
from gateway.valkey.shared_estimates import shared_estimates
from gateway.valkey.tickets import ticketing

# A reply may end so long after its time, at another gateway that has to find it first.
_ENDING_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Stores:
    """What is remembered of replies, and counted; and who makes which."""

    log: EventLog
    claims: Claims
    tickets: Tickets
    register: Register
    ledger: Ledger
    rates: Rates
    room: Room
    estimates: Estimates


@asynccontextmanager
async def opened_stores(settings: GatewaySettings) -> AsyncIterator[Stores]:
    """Shared ones where there is a server to share, else this process's own. Raises ValkeyUnreachable."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(_connected(settings))
        here = MemoryRoom(settings.max_running_replies)
        if client is None:
            yield await _own_stores(settings, here, stack)
        else:
            yield await _shared_stores(settings, here, client, stack)


async def _own_stores(settings: GatewaySettings, here: MemoryRoom, stack: AsyncExitStack) -> Stores:
    log = MemoryEventLog(settings.max_events, settings.max_kept_replies)
    ledger = MemoryLedger(settings.daily_tokens)
    repeats = MemoryRepeats(settings.max_kept_replies, settings.keep_seconds)
    return Stores(
        log=log,
        claims=SoleClaims(),
        tickets=NoTickets(),
        register=MemoryRegister(here, ledger, log, repeats),
        ledger=ledger,
        rates=MemoryRates(),
        room=here,
        estimates=await stack.enter_async_context(kept_estimates(settings.estimates_file)),
    )


async def _shared_stores(
    settings: GatewaySettings, here: MemoryRoom, client: Client, stack: AsyncExitStack
) -> Stores:
    reader = await stack.enter_async_context(reading(client))
    log = ValkeyEventLog(
        client, reader, settings.max_events, settings.max_kept_replies, settings.keep_seconds
    )
    claims = await stack.enter_async_context(claiming(client, reader, settings.takeover_seconds))
    room = ValkeyRoom(client, here, settings.max_replies_together, settings.reply_seconds + _ENDING_SECONDS)
    ledger = ValkeyLedger(client, settings.daily_tokens)
    return Stores(
        log=log,
        claims=claims,
        tickets=await stack.enter_async_context(ticketing(client, reader.replica)),
        register=ValkeyRegister(
            client, claims=claims, log=log, room=room, ledger=ledger, keep_seconds=settings.keep_seconds
        ),
        ledger=ledger,
        rates=ValkeyRates(client),
        room=room,
        estimates=await stack.enter_async_context(shared_estimates(client)),
    )


@asynccontextmanager
async def _connected(settings: GatewaySettings) -> AsyncIterator[Client | None]:
    url = settings.valkey_url.get_secret_value()
    if not url:
        yield None
        return
    async with connected(url, settings.patience_seconds) as client:
        yield client
