"""Replies that start and end at any gateway go in, refusals where there is no room for more come out."""

from __future__ import annotations

import math

from visavis.rpc.failures import Failure

from gateway.callers import Caller
from gateway.reply.room import MemoryRoom, all_full, caller_full
from gateway.valkey.answering import answering
from gateway.valkey.connection import Client
from gateway.valkey.scripts import Part

_ALL = "visavis:running"


class ValkeyRoom:
    """Room for `max_replies` of all gateways together, and in this one as `here` says.

    What nobody gave back, nor took over, is free after `longest_seconds`.
    """

    def __init__(self, client: Client, here: MemoryRoom, max_replies: int, longest_seconds: float) -> None:
        self.here = here
        self._client = client
        self._max_replies = max_replies
        self._longest_seconds = longest_seconds

    def begun(self, caller: Caller) -> Part:
        """One more reply takes room, if there is any."""
        # One more than there can be stands for no bound.
        most = self._max_replies + 1 if math.isinf(caller.running) else caller.running
        return Part([_ALL, _key(caller)], [most, self._max_replies, self._longest_seconds])

    def refusal(self, full: bytes, caller: Caller) -> Failure:
        """There is none: what is full is the `caller`'s, or `all` of it."""
        return caller_full(caller) if full == b"caller" else all_full(self._max_replies)

    async def leave(self, reply_id: str, caller: Caller) -> None:
        """Gives a reply's room back, once or again."""
        await self.here.leave(reply_id, caller)
        with answering():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.zrem(_ALL, reply_id)
                pipeline.zrem(_key(caller), reply_id)
                await pipeline.execute()


def _key(caller: Caller) -> str:
    return f"visavis:running:{caller.name}"
