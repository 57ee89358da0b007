"""Requests of callers go in, refusals of those who ask too often come out."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Protocol

from visavis.rpc.failures import Failure, FailureType

from gateway.callers import Caller

_MINUTE = 60.0


class Rates(Protocol):
    """How often each caller asks."""

    async def count(self, caller: Caller) -> None:
        """Takes in one more request. Raises Failure (rate-limited)."""


class MemoryRates:
    """A bucket for each caller that holds a minute's requests and fills evenly (there are few callers)."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # By caller: requests that were left, and when.
        self._left: dict[str, tuple[float, float]] = {}

    async def count(self, caller: Caller) -> None:
        """Takes in one more request. Raises Failure (rate-limited)."""
        if math.isinf(caller.per_minute):
            return
        now = self._clock()
        left, then = self._left.get(caller.name, (caller.per_minute, now))
        left = min(caller.per_minute, left + (now - then) * caller.per_minute / _MINUTE)
        if left < 1:
            raise asked_too_often(caller, (1 - left) * _MINUTE / caller.per_minute)
        self._left[caller.name] = (left - 1, now)


def asked_too_often(caller: Caller, wait_seconds: float) -> Failure:
    """What a caller is told who has to wait."""
    return Failure(
        FailureType.RATE_LIMITED,
        f"Your key may ask {caller.per_minute:g} times a minute. Try again in a moment.",
        retry_after_seconds=wait_seconds,
    )
