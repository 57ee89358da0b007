"""An order goes in, its utterances come out; on the way the text's events are written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.reply.costs import prompt_tokens
from gateway.reply.events import TextDelta, TextOk, TextUsage
from gateway.reply.journal import Journal
from gateway.reply.orders import Order
from gateway.stages.call import Call
from gateway.stages.text import Delta, Started, TextFinished, TextStage, Utterance


async def utterances(
    order: Order, stage: TextStage, journal: Journal, call: Call
) -> AsyncGenerator[Utterance, None]:
    """The parts to be spoken, as soon as each is complete. Raises Failure."""
    async with aclosing(stage.reply(order.source, order.request.language, call)) as parts:
        async for part in parts:
            match part:
                case Started():
                    _start(order, journal)
                case Delta(text):
                    await _take_delta(text, order, journal)
                case Utterance():
                    yield part
                case TextFinished():
                    await _finish(part, journal)


def _start(order: Order, journal: Journal) -> None:
    # From here on the provider is paid, even where it never comes to say how much.
    if order.request.messages is not None:
        journal.usage.prompt_tokens = prompt_tokens(message.content for message in order.request.messages)


async def _take_delta(text: str, order: Order, journal: Journal) -> None:
    if not text:
        return
    if order.request.messages is not None:
        # Providers send about one token at a time; the exact count comes at the end.
        journal.usage.completion_tokens += 1
    if journal.state.first_text_at is None:
        journal.state.first_text_at = journal.now()
    journal.state.characters += len(text)
    await journal.write(TextDelta(delta=text))


async def _finish(text: TextFinished, journal: Journal) -> None:
    journal.state.text_at = journal.now()
    journal.usage.prompt_tokens = text.prompt_tokens
    journal.usage.completion_tokens = text.completion_tokens
    usage = TextUsage(prompt_tokens=text.prompt_tokens, completion_tokens=text.completion_tokens)
    await journal.write(TextOk(text=text.text, usage=usage, eta_seconds=journal.eta_seconds))
