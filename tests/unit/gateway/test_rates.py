"""A caller asks so often a minute, at any gateway; whoever waits as long as told may ask again."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator

import pytest
from visavis.rpc.failures import Failure, FailureType

from gateway.callers import Caller
from gateway.rates import MemoryRates, Rates
from gateway.valkey.connection import Client, connected
from gateway.valkey.rates import ValkeyRates


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def rates(request: pytest.FixtureRequest) -> Rates:
    return MemoryRates() if request.param == "memory" else ValkeyRates(request.getfixturevalue("client"))


async def refused_after(rates: Rates, caller: Caller) -> tuple[int, float]:
    """How often they could ask, and how long they are told to wait."""
    for count in range(1_000_000):
        try:
            await rates.count(caller)
        except Failure as failure:
            assert failure.type is FailureType.RATE_LIMITED
            return count, failure.retry_after_seconds or 0.0
    raise AssertionError


async def test_a_minutes_requests_may_come_at_once(rates: Rates) -> None:
    count, wait_seconds = await refused_after(rates, Caller("ann", per_minute=6))
    assert count >= 6
    assert 0 < wait_seconds <= 10
    await rates.count(Caller("bob", per_minute=1))


async def test_whoever_waits_as_long_as_told_may_ask_again(rates: Rates) -> None:
    ann = Caller("ann", per_minute=240)
    _, wait_seconds = await refused_after(rates, ann)
    assert 0 < wait_seconds <= 0.25
    await asyncio.sleep(wait_seconds)
    await rates.count(ann)


async def test_a_caller_without_bound_is_never_refused(rates: Rates) -> None:
    for _ in range(100):
        await rates.count(Caller("anonymous", per_minute=math.inf))


async def test_gateways_that_share_a_server_count_together(client: Client) -> None:
    ann = Caller("ann", per_minute=1)
    await ValkeyRates(client).count(ann)
    with pytest.raises(Failure) as refused:
        await ValkeyRates(client).count(ann)
    assert 0 < (refused.value.retry_after_seconds or 0) <= 60
    assert 0 < await client.pttl("visavis:rate:ann") <= 60_000
