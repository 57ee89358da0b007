"""Replies are made while gateways, workers and connections die; a verdict on all of them comes out."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import redis.asyncio

from gateway.valkey.keys import events_key, log_key
from tests.chaos.field import Field, standing
from tests.chaos.perils import Peril, raging
from tests.chaos.readers import Heard, Site, fetched, heard, whole_log
from tests.chaos.remains import known_replies, remains
from tests.chaos.verdict import Verdict
from tests.chaos.victims import Victim
from tests.chaos.weather import Weather
from tests.chaos.writer import ANSWERS, answer_to
from tests.fakes.object_server import ObjectServer

SAYINGS = (
    "The moon is a rock. It shines at night.",
    "Nobody lives there. The sea knows it well. So do the cats.",
    "One. Two of them are here. Three are on their way to us.",
)
_TOKEN = re.compile(rb"\?token=\w+")


async def storm(weather: Weather, folder: Path, bucket: ObjectServer) -> Verdict:
    """Makes all replies, half of them word for word, and judges them when everything is calm again."""
    chance = random.Random(weather.seed)
    async with standing(weather, folder, bucket, chance) as field:
        site = Site(field.edge.url, field.secret)
        perils = [
            Peril(weather.gateway_dies_events, _any_of(field.gateways, chance), chance),
            Peril(weather.worker_dies_events, _any_of(field.workers, chance), chance),
            Peril(weather.connections_cut_events, field.edge.cut, chance),
        ]

        def take_event() -> None:
            for peril in perils:
                peril.take_event()

        stormy = Site(field.edge.url, field.secret, take_event)
        free = asyncio.Semaphore(weather.at_once)
        begun = time.monotonic()
        async with raging(perils):
            clients = await asyncio.gather(
                *(_one(stormy, free, number, chance) for number in range(weather.replies))
            )
        verdict = Verdict(seconds=round(time.monotonic() - begun, 1))
        verdict.gateways_killed, verdict.workers_killed, verdict.proxy_processes_killed = (
            peril.strikes for peril in perils
        )
        verdict.take_remains(await remains(field.valkey_url))
        heard_of = {client.reply_id for client in clients}
        verdict.replies_unheard_of = len(await known_replies(field.valkey_url) - heard_of)
        texts = sorted({_text(client) for client in clients})
        calm = [await heard(site, f"calm {text}", {"say": text}) for text in texts]
        undisturbed = {_text(client): await _media(site, client) for client in calm}
        for client in clients:
            await _judge(verdict, field, site, client, undisturbed[_text(client)])
        return verdict


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


def _question(client: Heard) -> str | None:
    return client.body["messages"][0]["content"] if "messages" in client.body else None


def _text(client: Heard) -> str:
    """What should be said in the end."""
    question = _question(client)
    return str(client.body["say"]) if question is None else answer_to(question)


async def _judge(
    verdict: Verdict, field: Field, site: Site, client: Heard, undisturbed: dict[str, bytes]
) -> None:
    log = await whole_log(site, client.reply_id)
    verdict.take(client, log)
    async with redis.asyncio.Redis.from_url(field.valkey_url) as server:
        epoch: Any = await server.hget(log_key(client.reply_id), "epoch")
        entries: Any = await server.xrange(events_key(client.reply_id))
    verdict.taken_over += int(epoch) > 1
    if (question := _question(client)) is not None:
        written_at = [int(fields[b"at"]) / 1000 for _, fields in entries if fields[b"type"] == b"text_ok"]
        asked_at = field.writer.asked[question]
        verdict.texts_asked_again_after_text_ok += sum(
            moment > at for moment in asked_at for at in written_at
        )
    verdict.take_text(log, _text(client))
    if log[-1].type == "done":
        verdict.take_media(client, await _media(site, client), undisturbed)


async def _media(site: Site, client: Heard) -> dict[str, bytes]:
    names = {"video.mp4", "audio.wav", "captions.vtt", "poster.jpg", "video.m3u8"}
    for event in client.events:
        urls = [event.data.get(name) for name in ("audio_url", "url", "init_url")]
        names |= {found.partition("?")[0].rsplit("/", 1)[1] for found in urls if found}
    files = await fetched(site, client.reply_id, names)
    # Signatures are each reply's own.
    return {name: _TOKEN.sub(b"", data) if name.endswith(".m3u8") else data for name, data in files.items()}
