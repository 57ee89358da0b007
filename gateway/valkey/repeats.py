"""A client's name for a request goes in at any gateway, the one reply that was made for it comes out."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable

from gateway.reply.repeats import KeyReused, Repeatable
from gateway.valkey.answering import answering
from gateway.valkey.connection import Client
from gateway.valkey.scripts import script

# To start a reply takes less; whoever claimed a key and died keeps it from others no longer.
_CLAIM_SECONDS = 60.0
_FIRST_LOOK_SECONDS = 0.02
_LONGEST_LOOK_SECONDS = 0.5


class ValkeyRepeats:
    """Remembers each key for `keep_seconds`, for all gateways that share the server."""

    def __init__(self, client: Client, keep_seconds: float, claim_seconds: float = _CLAIM_SECONDS) -> None:
        self._keep_ms = round(keep_seconds * 1000)
        self._claim_ms = round(claim_seconds * 1000)
        self._claim = script(client, "repeats_claim")
        self._settle = script(client, "repeats_settle")
        self._forget = script(client, "repeats_forget")

    async def once(self, asked: Repeatable, make: Callable[[], Awaitable[str]]) -> tuple[str, bool]:
        """The id of the key's reply, and whether it was made before. Raises KeyReused, and as `make` does."""
        name, token = _name(asked), secrets.token_hex(8)
        look_seconds = _FIRST_LOOK_SECONDS
        while (answer := await self._claimed(name, asked.digest, token)) != b"mine":
            if isinstance(answer, list):
                return str(answer[0], "utf-8"), True
            if answer == b"reused":
                raise KeyReused
            await asyncio.sleep(look_seconds)
            look_seconds = min(look_seconds * 2, _LONGEST_LOOK_SECONDS)
        reply_id = ""
        try:
            reply_id = await make()
        finally:
            # Shielded: a request that is cancelled twice must not keep the key from others.
            await asyncio.shield(self._settled(name, token, reply_id))
        return reply_id, False

    async def forget(self, asked: Repeatable, reply_id: str) -> None:
        """Frees the key of a reply that is gone."""
        with answering():
            await self._forget([_name(asked)], [reply_id])

    async def _claimed(self, name: str, digest: str, token: str) -> bytes | list[bytes]:
        with answering():
            answer: bytes | list[bytes] = await self._claim([name], [digest, token, self._claim_ms])
        return answer

    async def _settled(self, name: str, token: str, reply_id: str) -> None:
        with answering():
            await self._settle([name], [token, reply_id, self._keep_ms])


def _name(asked: Repeatable) -> str:
    # Clients choose their keys: hashed, they are short and never clash with another caller's.
    digest = hashlib.sha256(f"{asked.caller}\n{asked.key}".encode()).hexdigest()
    return f"visavis:repeat:{digest}"
