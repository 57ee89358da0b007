"""Requests of callers at any gateway go in, refusals of those who ask too often come out."""

from __future__ import annotations

import math

from gateway.callers import Caller
from gateway.rates import asked_too_often
from gateway.valkey.answering import answering
from gateway.valkey.connection import Client
from gateway.valkey.scripts import script


class ValkeyRates:
    """A bucket for each caller that holds a minute's requests and fills evenly, on the server's clock."""

    def __init__(self, client: Client) -> None:
        self._count = script(client, "rates_count")

    async def count(self, caller: Caller) -> None:
        """Takes in one more request. Raises Failure (rate-limited)."""
        if math.isinf(caller.per_minute):
            return
        with answering():
            wait_ms = await self._count([f"visavis:rate:{caller.name}"], [caller.per_minute])
        if wait_ms:
            raise asked_too_often(caller, wait_ms / 1000)
