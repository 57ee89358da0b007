"""A Valkey goes in when all replies have ended; what it still holds for any of them comes out."""

from __future__ import annotations

import asyncio
from typing import Any

import redis.asyncio

from gateway.valkey.keys import CLAIM_PREFIX, ORDERS, REPLIES
from gateway.valkey.tickets import STREAM as TICKETS

# A gateway that died between a reply's end and its own is found after GATEWAY_TAKEOVER_SECONDS.
_LOOKS = 60
_LOOK_SECONDS = 0.5


async def remains(valkey_url: str) -> dict[str, int]:
    """Orders, claims, tickets, room and tokens, by name; what goes by itself is waited for."""
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as server:
        for _ in range(_LOOKS):
            if not (held := await _held(server)):
                break
            await asyncio.sleep(_LOOK_SECONDS)
    return held


async def known_replies(valkey_url: str) -> set[str]:
    """The ids of all replies that have a log."""
    async with redis.asyncio.Redis.from_url(valkey_url, decode_responses=True) as server:
        known: Any = await server.zrange(REPLIES, 0, -1)
        return set(known)


async def _held(server: Any) -> dict[str, int]:
    held = {
        "orders": await server.xlen(ORDERS),
        "tickets": await server.xlen(TICKETS),
        "claims": len(await server.keys(f"{CLAIM_PREFIX}*")),
        "room": sum([await server.zcard(key) for key in await server.keys("visavis:running*")]),
        "tokens": sum([await server.hlen(key) for key in await server.keys("visavis:reserved:*")]),
    }
    return {name: count for name, count in held.items() if count}
