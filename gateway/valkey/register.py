"""A reply that is asked for goes in; in one step on the server it is there with all it needs, or refused.

What each store keeps of a reply begins together: see `reply_begin.lua`. A call whose answer was lost is made
again, and finds what it did.
"""

from __future__ import annotations

import hashlib
from itertools import chain
from typing import Any

from gateway.reply.register import Entry
from gateway.reply.repeats import KeyReused, Repeatable
from gateway.valkey.answering import answering
from gateway.valkey.claims import ValkeyClaims
from gateway.valkey.connection import Client
from gateway.valkey.event_log import ValkeyEventLog
from gateway.valkey.keys import LOG_PREFIX, log_key
from gateway.valkey.ledger import ValkeyLedger
from gateway.valkey.room import ValkeyRoom
from gateway.valkey.scripts import Part, script


class ValkeyRegister:
    """Where replies of all gateways begin; each key is remembered for `keep_seconds`."""

    def __init__(
        self,
        client: Client,
        *,
        claims: ValkeyClaims,
        log: ValkeyEventLog,
        room: ValkeyRoom,
        ledger: ValkeyLedger,
        keep_seconds: float,
    ) -> None:
        self._client = client
        self._claims = claims
        self._log = log
        self._room = room
        self._ledger = ledger
        self._keep_ms = max(1, round(keep_seconds * 1000))
        self._begin = script(client, "reply_begin")

    async def known(self, asked: Repeatable) -> str | None:
        """The id of the reply that a key stands for, as long as that is kept. Raises KeyReused, Failure."""
        with answering():
            found: Any = await self._client.hmget(_key(asked), ["digest", "reply"])
            if found[1] is None or not await self._client.exists(log_key(str(found[1], "utf-8"))):
                return None
        if str(found[0], "utf-8") != asked.digest:
            raise KeyReused
        return str(found[1], "utf-8")

    async def enter(self, entry: Entry) -> str:
        """Begins the reply; its id, or that of the reply which the key stands for already.

        Raises KeyReused; Failure (rate-limited, busy, site-quota-exhausted, stage-unavailable).
        """
        here = self._room.here
        await here.enter(entry.reply_id, entry.caller)
        reply_id = ""
        try:
            reply_id = await self._entered(entry)
        finally:
            if reply_id != entry.reply_id:
                await here.leave(entry.reply_id, entry.caller)
        return reply_id

    async def _entered(self, entry: Entry) -> str:
        parts = (
            self._claims.begun(entry.reply_id, entry.record),
            self._log.begun(entry.reply_id, entry.caller.name, entry.accepted),
            self._room.begun(entry.caller),
            self._ledger.begun(entry.reservation),
            self._repeat(entry.asked),
        )
        keys = chain.from_iterable(part.keys for part in parts)
        args = chain.from_iterable(part.args for part in parts)
        with answering():
            await self._log.make_room()
            answer = await self._begin([*keys], [entry.reply_id, *args])
        match answer:
            case [b"begun"]:
                self._claims.holds(entry.reply_id)
                self._log.holds(entry.reply_id, entry.accepted)
                return entry.reply_id
            case [b"known", reply_id]:
                return str(reply_id, "utf-8")
            case [b"reused"]:
                raise KeyReused
            case [b"budget", used, reserved]:
                raise self._ledger.refusal(entry.reservation, used, reserved)
            case _:
                raise self._room.refusal(answer[0], entry.caller)

    def _repeat(self, asked: Repeatable | None) -> Part:
        if asked is None:
            return Part([], ["", LOG_PREFIX, self._keep_ms])
        return Part([_key(asked)], [asked.digest, LOG_PREFIX, self._keep_ms])


def _key(asked: Repeatable) -> str:
    # Clients choose their keys: hashed, they are short and never clash with another caller's.
    digest = hashlib.sha256(f"{asked.caller}\n{asked.key}".encode()).hexdigest()
    return f"visavis:repeat:{digest}"
