"""What clients heard in a storm goes in when everything is calm again; the verdict on it comes out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import redis.asyncio

from gateway.valkey.keys import events_key, log_key
from tests.chaos.field import Field
from tests.chaos.readers import Heard, Site, fetched, heard, whole_log
from tests.chaos.remains import known_replies, remains
from tests.chaos.verdict import Verdict
from tests.chaos.writer import answer_to

_TOKEN = re.compile(rb"\?token=\w+")


async def judge(verdict: Verdict, field: Field, clients: Sequence[Heard]) -> None:
    """Compares with the logs, with who was asked for texts when, and with an undisturbed run."""
    site = Site(field.edge.url, field.secret)
    verdict.take_remains(await remains(field.valkey_url))
    known = await known_replies(field.valkey_url)
    verdict.replies_unheard_of = len(known - {client.reply_id for client in clients})
    texts = sorted({_text(client) for client in clients})
    calm = {text: await heard(site, f"calm {text}", {"say": text}) for text in texts}
    undisturbed = {text: await _media(site, client) for text, client in calm.items()}
    for client in clients:
        log = await whole_log(site, client.reply_id)
        verdict.take(client, log)
        verdict.take_text(log, _text(client))
        await _take_hands(verdict, field, client)
        if log[-1].type == "done":
            verdict.take_media(client, await _media(site, client), undisturbed[_text(client)])


async def _take_hands(verdict: Verdict, field: Field, client: Heard) -> None:
    """Through how many it went, and whether they had its text written again."""
    async with redis.asyncio.Redis.from_url(field.valkey_url) as server:
        hands: Any = await server.hget(log_key(client.reply_id), "hands")
        entries: Any = await server.xrange(events_key(client.reply_id))
    verdict.taken_over += int(hands) > 1
    written_at = [int(fields[b"at"]) / 1000 for _, fields in entries if fields[b"type"] == b"text_ok"]
    asked_at = field.writer.asked.get(_question(client) or "", [])
    verdict.texts_asked_again_after_text_ok += sum(moment > at for moment in asked_at for at in written_at)


def _question(client: Heard) -> str | None:
    return client.body["messages"][0]["content"] if "messages" in client.body else None


def _text(client: Heard) -> str:
    """What is said in the end."""
    question = _question(client)
    return str(client.body["say"]) if question is None else answer_to(question)


async def _media(site: Site, client: Heard) -> dict[str, bytes]:
    names = {"video.mp4", "audio.wav", "captions.vtt", "poster.jpg", "video.m3u8"}
    for event in client.events:
        urls = [event.data.get(name) for name in ("audio_url", "url", "init_url")]
        names |= {found.partition("?")[0].rsplit("/", 1)[1] for found in urls if found}
    files = await fetched(site, client.reply_id, names)
    # Signatures are each reply's own.
    return {name: _TOKEN.sub(b"", data) if name.endswith(".m3u8") else data for name, data in files.items()}
