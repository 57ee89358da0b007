"""Replies are made while gateways, workers and connections die; a verdict on all of them comes out."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis.asyncio

from gateway.valkey.keys import events_key, log_key
from tests.chaos.cutter import Cutter, served_cutter
from tests.chaos.readers import Heard, fetched, heard, heard_again
from tests.chaos.verdict import Verdict
from tests.chaos.victims import Victim, free_ports, living
from tests.chaos.writer import SlowText, answer_to
from tests.fakes.served_gateway import Told
from tests.fakes.stages import FakeStages
from tests.fakes.valkey import valkey_server

SAYINGS = (
    "The moon is a rock. It shines at night.",
    "Nobody lives there. The sea knows it well. So do the cats.",
    "One. Two of them are here. Three are on their way to us.",
)
TAKEOVER_SECONDS = 2.0


@dataclass(frozen=True)
class Weather:
    """How bad it is. Seconds are means of what is random."""

    replies: int = 200
    at_once: int = 8
    gateways: int = 3
    workers: int = 2
    gateway_dies_seconds: float = 0.5
    worker_dies_seconds: float = 0.8
    connection_cut_seconds: float = 0.2
    seed: int = 1


@dataclass(frozen=True, slots=True)
class _Field:
    url: str
    cutter: Cutter
    gateways: list[Victim]
    workers: list[Victim]
    text: SlowText
    valkey_url: str


async def storm(weather: Weather, folder: Path) -> Verdict:
    """Makes all replies, half of them word for word, and judges them when everything is calm again."""
    chance = random.Random(weather.seed)
    async with _field(weather, folder, chance) as field:
        calm = {saying: await _media(field.url, await _reply(field, saying, "calm")) for saying in SAYINGS}
        begun = time.monotonic()
        calm_again = asyncio.Event()
        deaths = [
            asyncio.create_task(_kill(field.gateways, weather.gateway_dies_seconds, chance, calm_again)),
            asyncio.create_task(_kill(field.workers, weather.worker_dies_seconds, chance, calm_again)),
            asyncio.create_task(_cut(field.cutter, weather.connection_cut_seconds, chance, calm_again)),
        ]
        free = asyncio.Semaphore(weather.at_once)
        try:
            clients = await asyncio.gather(
                *(_one(field, free, number, chance) for number in range(weather.replies))
            )
        finally:
            calm_again.set()
            await asyncio.gather(*deaths)
        verdict = Verdict(seconds=round(time.monotonic() - begun, 1))
        verdict.gateways_killed = sum(gateway.deaths for gateway in field.gateways)
        verdict.workers_killed = sum(worker.deaths for worker in field.workers)
        verdict.connections_cut = field.cutter.cuts
        for client in clients:
            await _judge(verdict, field, client, calm)
        return verdict


@asynccontextmanager
async def _field(weather: Weather, folder: Path, chance: random.Random) -> AsyncIterator[_Field]:
    async with AsyncExitStack() as stack:
        valkey_url = stack.enter_context(valkey_server(folder))
        stages = FakeStages()
        stages.text = SlowText()
        for server in (stages.text_server, stages.tts_server):
            await server.start()
            stack.push_async_callback(server.stop)
        log = stack.enter_context((folder / "processes.log").open("ab"))
        ports = free_ports(weather.gateways + weather.workers)
        worker_ports = ports[weather.gateways :]
        workers = [Victim(["-m", "tests.chaos.worker", str(port)], port, {}, log) for port in worker_ports]
        shared = {
            "GATEWAY_VALKEY_URL": valkey_url,
            "GATEWAY_TAKEOVER_SECONDS": str(TAKEOVER_SECONDS),
            "GATEWAY_TEXT_TARGET": stages.text_server.address,
            "GATEWAY_TTS_TARGET": stages.tts_server.address,
            "GATEWAY_LIPSYNC_TARGET": "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in worker_ports),
            "GATEWAY_DATA": str(folder / "media"),
            # A worker takes some seconds to come back on a busy machine.
            "GATEWAY_PATIENCE_SECONDS": "120",
        }
        gateways = [
            Victim(["-m", "gateway"], port, shared | {"GATEWAY_PORT": str(port)}, log)
            for port in ports[: weather.gateways]
        ]
        await stack.enter_async_context(living([*gateways, *workers]))
        cutter, url = await stack.enter_async_context(served_cutter(ports[: weather.gateways], chance))
        yield _Field(url, cutter, gateways, workers, stages.text, valkey_url)


async def _one(field: _Field, free: asyncio.Semaphore, number: int, chance: random.Random) -> Heard:
    async with free:
        if number % 2:
            return await heard(field.url, f"key {number}", {"say": chance.choice(SAYINGS)})
        question = {"messages": [{"role": "user", "content": f"Moon {number}"}]}
        return await heard(field.url, f"key {number}", question)


async def _reply(field: _Field, saying: str, key: str) -> str:
    return (await heard(field.url, f"{key} {saying}", {"say": saying})).reply_id


async def _kill(
    victims: list[Victim], seconds: float, chance: random.Random, calm_again: asyncio.Event
) -> None:
    """One after the other: whoever was killed is back before the next one dies."""
    while not await _passed(calm_again, chance.expovariate(1 / seconds)):
        await chance.choice(victims).die_and_return()


async def _cut(cutter: Cutter, seconds: float, chance: random.Random, calm_again: asyncio.Event) -> None:
    while not await _passed(calm_again, chance.expovariate(1 / seconds)):
        cutter.cut_one()


async def _passed(calm_again: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await calm_again.wait()
    return calm_again.is_set()


async def _judge(verdict: Verdict, field: _Field, client: Heard, calm: dict[str, dict[str, bytes]]) -> None:
    log = await _log(field.url, client.reply_id)
    verdict.take(client, log)
    async with redis.asyncio.Redis.from_url(field.valkey_url) as server:
        epoch: Any = await server.hget(log_key(client.reply_id), "epoch")
        entries: Any = await server.xrange(events_key(client.reply_id))
    verdict.taken_over += int(epoch) > 1
    if "say" in client.body:
        verdict.take_text(log, client.body["say"])
        verdict.take_media(await _media(field.url, client.reply_id), calm[client.body["say"]])
        return
    question = client.body["messages"][0]["content"]
    verdict.take_text(log, answer_to(question))
    written_at = [int(fields[b"at"]) / 1000 for _, fields in entries if fields[b"type"] == b"text_ok"]
    asked_at = field.text.asked[question]
    verdict.texts_asked_again_after_text_ok += sum(moment > at for moment in asked_at for at in written_at)


async def _log(url: str, reply_id: str) -> list[Told]:
    return (await heard_again(url, reply_id)).events


async def _media(url: str, reply_id: str) -> dict[str, bytes]:
    names = {"video.mp4", "audio.wav", "captions.vtt", "poster.jpg", "video.m3u8"}
    for event in await _log(url, reply_id):
        urls = [event.data.get(name) for name in ("audio_url", "url", "init_url")]
        names |= {found.rsplit("/", 1)[1] for found in urls if found}
    return {name: (await fetched(url, f"/v1/replies/{reply_id}/{name}")).content for name in sorted(names)}
