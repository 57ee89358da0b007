"""Replies that start and end at any gateway go in, refusals where there is no room for more come out."""

from __future__ import annotations

import math

from gateway.callers import Caller
from gateway.reply.room import Room, all_full, caller_full
from gateway.valkey.answering import answering
from gateway.valkey.connection import Client
from gateway.valkey.scripts import script

_ALL = "visavis:running"


class ValkeyRoom:
    """Room for `max_replies` of all gateways together, and in this one as `here` says.

    What a gateway that died holds is free after `longest_seconds`.
    """

    def __init__(self, client: Client, here: Room, max_replies: int, longest_seconds: float) -> None:
        self._client = client
        self._here = here
        self._max_replies = max_replies
        self._longest_seconds = longest_seconds
        self._enter = script(client, "room_enter")

    async def enter(self, reply_id: str, caller: Caller) -> None:
        """Takes room for one more reply. Raises Failure (rate-limited, busy)."""
        await self._here.enter(reply_id, caller)
        try:
            await self._enter_all(reply_id, caller)
        except BaseException:
            await self._here.leave(reply_id, caller)
            raise

    async def leave(self, reply_id: str, caller: Caller) -> None:
        """Gives a reply's room back, once or again."""
        await self._here.leave(reply_id, caller)
        with answering():
            async with self._client.pipeline(transaction=False) as pipeline:
                pipeline.zrem(_ALL, reply_id)
                pipeline.zrem(_key(caller), reply_id)
                await pipeline.execute()

    async def _enter_all(self, reply_id: str, caller: Caller) -> None:
        # One more than there can be stands for no bound.
        most = self._max_replies + 1 if math.isinf(caller.running) else caller.running
        with answering():
            answer = await self._enter(
                [_ALL, _key(caller)], [reply_id, most, self._max_replies, self._longest_seconds]
            )
        if answer == b"caller":
            raise caller_full(caller)
        if answer == b"all":
            raise all_full(self._max_replies)


def _key(caller: Caller) -> str:
    return f"visavis:running:{caller.name}"
