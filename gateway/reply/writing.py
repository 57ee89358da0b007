"""An order goes in, its utterances come out; on the way the text's events are written."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from visavis.rpc.failures import Failure

from gateway.reply.continuing import Joint, continuation
from gateway.reply.costs import prompt_tokens
from gateway.reply.events import TextDelta, TextOk, TextUsage
from gateway.reply.journal import Journal
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.stages.call import GONE, Call
from gateway.stages.text import STAGE, Conversation, Delta, Started, TextFinished, TextStage, Utterance


class Writer:
    """Writes one text, or what is missing of it."""

    def __init__(self, order: Order, stage: TextStage, journal: Journal, call: Call, parts: Made) -> None:
        self._order = order
        self._stage = stage
        self._journal = journal
        self._call = call
        self._parts = parts
        # As much as the client has, and what of it is spoken or being spoken.
        self._text = parts.text
        self._spoken = [utterance.text for utterance in parts.utterances]
        self._whole = None if parts.text_ok is None else parts.text_ok.text

    async def utterances(self) -> AsyncGenerator[Utterance, None]:
        """What is still to be spoken, each part as soon as it is complete. Raises Failure.

        An answer whose text stage dies in the middle is gone on with, once.
        """
        if self._parts.speech_seconds is not None:
            return
        while True:
            try:
                async with aclosing(self._unspoken()) as utterances:
                    async for utterance in utterances:
                        self._spoken.append(utterance.text)
                        yield utterance
            except Failure as failure:
                if not self._may_go_on(failure):
                    raise
                self._journal.usage.resumed += 1
            else:
                return

    def _may_go_on(self, failure: Failure) -> bool:
        broken = failure.stage == STAGE and failure.type in GONE
        unfinished = self._whole is None and bool(self._text)
        return broken and unfinished and self._answers and not self._journal.usage.resumed

    @property
    def _answers(self) -> bool:
        return self._order.request.messages is not None

    async def _unspoken(self) -> AsyncGenerator[Utterance, None]:
        """A text is cut the same way each time: what is spoken already is where it begins again."""
        text = self._text
        spoken_until = _end(text, self._spoken)
        place = 0
        async with aclosing(self._all_utterances()) as utterances:
            async for utterance in utterances:
                if place < spoken_until:
                    place = _end(text, [utterance.text], place)
                else:
                    yield utterance

    def _all_utterances(self) -> AsyncGenerator[Utterance, None]:
        if self._whole is not None:
            return self._cut(self._whole)
        if self._text and self._answers:
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
        told = len(self._text)
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
        source = replace(source, messages=continuation(source.messages, self._text))
        before = self._journal.usage.model_copy()
        joint = Joint(self._text)
        async with aclosing(self._stage.reply(source, self._order.request.language, self._call)) as parts:
            async for part in parts:
                match part:
                    case Started():
                        self._start(source)
                    case Delta(delta):
                        await self._tell(joint.feed(delta))
                    case TextFinished():
                        await self._tell(joint.finish())
                        whole = replace(
                            part,
                            text=self._text,
                            prompt_tokens=before.prompt_tokens + part.prompt_tokens,
                            completion_tokens=before.completion_tokens + part.completion_tokens,
                        )
                        await self._finish(whole)
        async with aclosing(self._cut(self._text)) as utterances:
            async for utterance in utterances:
                yield utterance

    def _start(self, source: Conversation | str) -> None:
        # From here on the provider is paid, even where it never comes to say how much.
        if isinstance(source, Conversation):
            self._journal.usage.prompt_tokens += prompt_tokens(content for _, content in source.messages)

    async def _tell(self, delta: str) -> None:
        if not delta:
            return
        journal = self._journal
        if self._answers:
            # Providers send about one token at a time; the exact count comes at the end.
            journal.usage.completion_tokens += 1
        if journal.state.first_text_at is None:
            journal.state.first_text_at = journal.now()
        journal.state.characters += len(delta)
        await journal.write(TextDelta(delta=delta))
        self._text += delta

    async def _finish(self, text: TextFinished) -> None:
        journal = self._journal
        self._whole = text.text
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
