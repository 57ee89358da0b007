"""Settings go in, the stores that replies need come out: of this process alone, or shared by all replicas."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from gateway.rates import MemoryRates, Rates
from gateway.reply.estimates import Estimates
from gateway.reply.kept_estimates import kept_estimates
from gateway.reply.ledger import Ledger, MemoryLedger
from gateway.reply.repeats import MemoryRepeats, Repeats
from gateway.reply.room import MemoryRoom, Room
from gateway.settings import GatewaySettings
from gateway.valkey.connection import Client
from gateway.valkey.ledger import ValkeyLedger
from gateway.valkey.rates import ValkeyRates
from gateway.valkey.repeats import ValkeyRepeats
from gateway.valkey.room import ValkeyRoom
from gateway.valkey.shared_estimates import shared_estimates

# A reply that is taken over starts its time anew, and ends a little after it.
_LIVES = 3


@dataclass(frozen=True, slots=True)
class Stores:
    """What is counted and remembered beside the replies themselves."""

    ledger: Ledger
    repeats: Repeats
    rates: Rates
    room: Room
    estimates: Estimates


@asynccontextmanager
async def opened_stores(settings: GatewaySettings, client: Client | None) -> AsyncIterator[Stores]:
    """Shared ones where there is a server to share, else this process's own."""
    async with AsyncExitStack() as stack:
        here = MemoryRoom(settings.max_running_replies)
        if client is None:
            yield Stores(
                ledger=MemoryLedger(settings.daily_tokens),
                repeats=MemoryRepeats(settings.max_kept_replies, settings.keep_seconds),
                rates=MemoryRates(),
                room=here,
                estimates=await stack.enter_async_context(kept_estimates(settings.estimates_file)),
            )
            return
        longest_seconds = _LIVES * settings.reply_seconds
        yield Stores(
            ledger=ValkeyLedger(client, settings.daily_tokens, longest_seconds),
            repeats=ValkeyRepeats(client, settings.keep_seconds),
            rates=ValkeyRates(client),
            room=ValkeyRoom(client, here, settings.max_replies_together, longest_seconds),
            estimates=await stack.enter_async_context(shared_estimates(client)),
        )
