"""An order goes in, its utterances come out; on the way the text's events are written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from gateway.reply.continuing import Joint, continuation
from gateway.reply.costs import prompt_tokens
from gateway.reply.events import TextDelta, TextOk, TextUsage
from gateway.reply.journal import Journal
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.stages.call import Call
from gateway.stages.text import Conversation, Delta, Started, TextFinished, TextStage, Utterance


class Writer:
    """Writes one text, or what is missing of it."""

    def __init__(self, order: Order, stage: TextStage, journal: Journal, call: Call, parts: Made) -> None:
        self._order = order
        self._stage = stage
        self._journal = journal
        self._call = call
        self._parts = parts

    async def utterances(self) -> AsyncGenerator[Utterance, None]:
        """What is still to be spoken, each part as soon as it is complete. Raises Failure.

        A text is cut the same way each time, so what is spoken already is the beginning of what comes again.
        """
        if self._parts.speech_seconds is not None:
            return
        spoken_until = _end(self._parts.text, [utterance.text for utterance in self._parts.utterances])
        place = 0
        async with aclosing(self._all_utterances()) as utterances:
            async for utterance in utterances:
                if place < spoken_until:
                    place = _end(self._parts.text, [utterance.text], place)
                else:
                    yield utterance

    def _all_utterances(self) -> AsyncGenerator[Utterance, None]:
        if self._parts.text_ok is not None:
            return self._cut(self._parts.text_ok.text)
        if self._parts.text and self._order.request.messages is not None:
            return self._continued()
        return self._written()

    async def _cut(self, text: str) -> AsyncGenerator[Utterance, None]:
        """Of a text that is there: no model is asked for it."""
        if not text.strip():
            return
        async with aclosing(self._stage.reply(text, self._order.request.language, self._call)) as parts:
            async for part in parts:
                if isinstance(part, Utterance):
                    yield part

    async def _written(self) -> AsyncGenerator[Utterance, None]:
        source = self._order.source
        # Word for word: a client that has the beginning already is not told it again.
        told = len(self._parts.text)
        async with aclosing(self._stage.reply(source, self._order.request.language, self._call)) as parts:
            async for part in parts:
                match part:
                    case Started():
                        self._start(source)
                    case Delta(text):
                        await self._tell(text[told:])
                        told = max(0, told - len(text))
                    case Utterance():
                        yield part
                    case TextFinished():
                        await self._finish(part)

    async def _continued(self) -> AsyncGenerator[Utterance, None]:
        """The model goes on where it broke off; the whole is cut once it is there."""
        source = self._order.source
        assert isinstance(source, Conversation)
        text = self._parts.text
        source = replace(source, messages=continuation(source.messages, text))
        before = self._journal.usage.model_copy()
        joint = Joint(text)
        async with aclosing(self._stage.reply(source, self._order.request.language, self._call)) as parts:
            async for part in parts:
                match part:
                    case Started():
                        self._start(source)
                    case Delta(delta):
                        text += await self._tell(joint.feed(delta))
                    case TextFinished():
                        text += await self._tell(joint.finish())
                        whole = replace(
                            part,
                            text=text,
                            prompt_tokens=before.prompt_tokens + part.prompt_tokens,
                            completion_tokens=before.completion_tokens + part.completion_tokens,
                        )
                        await self._finish(whole)
        async with aclosing(self._cut(text)) as utterances:
            async for utterance in utterances:
                yield utterance

    def _start(self, source: Conversation | str) -> None:
        # From here on the provider is paid, even where it never comes to say how much.
        if isinstance(source, Conversation):
            self._journal.usage.prompt_tokens += prompt_tokens(content for _, content in source.messages)

    async def _tell(self, delta: str) -> str:
        if not delta:
            return ""
        journal = self._journal
        if self._order.request.messages is not None:
            # Providers send about one token at a time; the exact count comes at the end.
            journal.usage.completion_tokens += 1
        if journal.state.first_text_at is None:
            journal.state.first_text_at = journal.now()
        journal.state.characters += len(delta)
        await journal.write(TextDelta(delta=delta))
        return delta

    async def _finish(self, text: TextFinished) -> None:
        journal = self._journal
        journal.state.text_at = journal.now()
        journal.usage.prompt_tokens = text.prompt_tokens
        journal.usage.completion_tokens = text.completion_tokens
        usage = TextUsage(prompt_tokens=text.prompt_tokens, completion_tokens=text.completion_tokens)
        await journal.write(
            TextOk(text=text.text, finish_reason=text.reason, usage=usage, eta_seconds=journal.eta_seconds)
        )


def _end(text: str, pieces: list[str], place: int = 0) -> int:
    """Where the last of the pieces ends that lie in the text one after the other, from `place` on."""
    for piece in pieces:
        found = text.find(piece, place)
        # Of a piece that goes on beyond the text only the beginning is there.
        place = len(text) if found < 0 else found + len(piece)
    return place
