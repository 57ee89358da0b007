"""An order goes in; text, speech and video are made, overlapping, and every step is written into the journal.

The stages are async generators, each running ahead of the next one up to a bound. What fails ends the reply
after everything that was made before it has been delivered.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TypeVar

from visavis.rpc.tracing import span

from gateway.reply.filming import Film
from gateway.reply.journal import Journal
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.reply.prefetch import ahead, side_by_side
from gateway.reply.speaking import Speaker
from gateway.reply.workshop import Workshop
from gateway.reply.writing import Writer
from gateway.stages.call import Call

Item = TypeVar("Item")


async def make_reply(order: Order, workshop: Workshop, journal: Journal, call: Call, parts: Made) -> None:
    """Makes what the order asks for, but for the parts that are there. Raises Failure."""
    with span("reply", call.traceparent, reply=order.reply_id) as traceparent:
        await _made(order, workshop, journal, replace(call, traceparent=traceparent), parts)


async def _made(order: Order, workshop: Workshop, journal: Journal, call: Call, known: Made) -> None:
    texts = Writer(order, workshop.text, journal, call, known).utterances()
    if not order.request.wants_speech:
        await _exhaust(texts)
        return
    ready = ahead(texts, workshop.settings.utterances_ahead)
    speeches = Speaker(order, workshop, journal, call, known).speeches(ready)
    if not order.request.wants_video:
        await _exhaust(speeches)
        return
    film = Film(order, workshop, journal, call, known)
    stored = ahead(speeches, workshop.settings.speeches_ahead)
    async with aclosing(side_by_side(stored, film.parts, workshop.settings.renders_at_once)) as renders:
        async for parts in renders:
            await film.add(parts)
    await film.finish()


async def _exhaust(items: AsyncGenerator[Item, None]) -> None:
    async with aclosing(items):
        async for _ in items:
            pass
