"""What one gateway learned, the others that share a server know too, and the next ones to start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from gateway.reply.estimates import Estimates
from gateway.reply.learned import MAX_LEARNED, Rate
from gateway.valkey.connection import Client, connected
from gateway.valkey.scripts import script
from gateway.valkey.shared_estimates import share, shared_estimates

SPEAKING = Rate.SPEAKING_SECONDS


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


async def test_the_next_run_knows_what_the_last_one_learned(client: Client) -> None:
    async with shared_estimates(client) as estimates:
        estimates.learn(SPEAKING, "zh/ling", 1.25)
    async with shared_estimates(client) as estimates:
        assert estimates.rate(SPEAKING, "zh/ling") == 1.25
        assert estimates.rate(SPEAKING, "never heard") == 1.25


async def test_gateways_learn_from_each_other_while_they_run(client: Client) -> None:
    async with (
        shared_estimates(client, share_seconds=0.01) as one,
        shared_estimates(client, share_seconds=0.01) as other,
    ):
        one.learn(SPEAKING, "en", 4.0)
        while other.rate(SPEAKING, "en") != 4.0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_what_all_saw_counts_as_if_one_had_seen_it(client: Client) -> None:
    alone, learn = Estimates(), script(client, "estimates_learn")
    replicas = [Estimates() for _ in range(3)]
    for number in range(12):
        alone.learn(SPEAKING, "en/tom", number)
        replicas[number % 3].learn(SPEAKING, "en/tom", number)
        await share(replicas[number % 3], learn)
    await asyncio.gather(*(share(replica, learn) for replica in replicas))
    for replica in replicas:
        assert replica.rate(SPEAKING, "en/tom") == pytest.approx(alone.rate(SPEAKING, "en/tom"), rel=1e-3)
        assert replica.rate(SPEAKING, "en") == pytest.approx(alone.rate(SPEAKING, "en"), rel=1e-3)


async def test_no_more_is_remembered_than_there_is_room_for_and_the_newest_stays(client: Client) -> None:
    learn = script(client, "estimates_learn")
    estimates = Estimates()
    for number in range(3):
        for part in range(400):
            estimates.learn(Rate.REPLY_CHARACTERS, f"model-{number}-{part}", number)
        await share(estimates, learn)
    assert await client.hlen("visavis:estimates") == MAX_LEARNED
    assert estimates.rate(Rate.REPLY_CHARACTERS, "model-2-399") == 2
    assert len(estimates.learned) == MAX_LEARNED


async def test_what_a_newer_gateway_learned_is_left_alone(client: Client) -> None:
    await client.hset("visavis:estimates", "seconds_to_blush\nava", "1")
    async with shared_estimates(client) as estimates:
        assert not estimates.learned
    assert await client.hexists("visavis:estimates", "seconds_to_blush\nava")


async def test_a_server_that_is_gone_stops_nothing(tmp_path: Path) -> None:
    async with (
        Redis.from_url(f"unix://{tmp_path}/nowhere.sock", retry=Retry(NoBackoff(), 0)) as client,
        shared_estimates(client, share_seconds=0.01) as estimates,
    ):
        estimates.learn(SPEAKING, "en", 4.0)
        assert estimates.rate(SPEAKING, "en") == 4.0
