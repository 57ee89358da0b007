"""Replies are asked for while gateways, workers and connections die; a verdict on all of them comes out."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.chaos.field import Field, standing
from tests.chaos.judging import judge
from tests.chaos.perils import Peril, raging
from tests.chaos.readers import Heard, Site, heard
from tests.chaos.verdict import Verdict
from tests.chaos.victims import Victim
from tests.chaos.weather import Weather
from tests.chaos.writer import ANSWERS
from tests.fakes.object_server import ObjectServer

SAYINGS = (
    "The moon is a rock. It shines at night.",
    "Nobody lives there. The sea knows it well. So do the cats.",
    "One. Two of them are here. Three are on their way to us.",
)


async def storm(weather: Weather, folder: Path, bucket: ObjectServer) -> Verdict:
    """Makes all replies, half of them word for word, and judges them when everything is calm again."""
    chance = random.Random(weather.seed)
    async with standing(weather, folder, bucket, chance) as field:
        verdict = Verdict()
        clients = await _asked_for(weather, field, verdict, chance)
        await judge(verdict, field, clients)
        return verdict


async def _asked_for(weather: Weather, field: Field, verdict: Verdict, chance: random.Random) -> list[Heard]:
    perils = [
        Peril(weather.gateway_dies_events, _any_of(field.gateways, chance), chance),
        Peril(weather.worker_dies_events, _any_of(field.workers, chance), chance),
        Peril(weather.connections_cut_events, field.edge.cut, chance),
    ]

    def take_event() -> None:
        for peril in perils:
            peril.take_event()

    site = Site(field.edge.url, field.secret, take_event)
    free = asyncio.Semaphore(weather.at_once)
    begun = time.monotonic()
    async with raging(perils):
        clients = await asyncio.gather(
            *(_one(site, free, number, chance) for number in range(weather.replies))
        )
    verdict.seconds = round(time.monotonic() - begun, 1)
    verdict.gateways_killed, verdict.workers_killed, verdict.proxy_processes_killed = (
        peril.strikes for peril in perils
    )
    return clients


def _any_of(victims: list[Victim], chance: random.Random) -> Callable[[], Awaitable[None]]:
    """Whoever was killed is back before the next one dies."""
    return lambda: chance.choice(victims).die_and_return()


async def _one(site: Site, free: asyncio.Semaphore, number: int, chance: random.Random) -> Heard:
    async with free:
        body: dict[str, Any] = {"say": chance.choice(SAYINGS)}
        if number % 2 == 0:
            question = f"Tell me about {chance.choice(list(ANSWERS))}, for the {number}th time."
            body = {"messages": [{"role": "user", "content": question}]}
        return await heard(site, f"key {number}", body, as_page=number % 4 > 1)
