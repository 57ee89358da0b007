"""Utterances go in, their speech comes out, placed and stored; on the way its events are written."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from visavis.rpc.failures import Failure, FailureType

from gateway.media.store import MediaStore, read_all
from gateway.media.timeline import (
    BYTES_PER_SAMPLE,
    FPS,
    SPEECH_RATE_HZ,
    PlacedSpeech,
    Timeline,
    samples_per_frame,
)
from gateway.media.wav import HEADER_BYTES, sample_rate_of, wav_header
from gateway.reply.events import AudioOk, UtteranceEvent
from gateway.reply.journal import Journal
from gateway.reply.learned import Rate
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.reply.workshop import Workshop
from gateway.stages.call import Call
from gateway.stages.speech import Speech
from gateway.stages.text import Utterance


class Speaker:
    """Speaks one reply."""

    def __init__(self, order: Order, workshop: Workshop, journal: Journal, call: Call, parts: Made) -> None:
        self._order = order
        self._workshop = workshop
        self._journal = journal
        self._call = call
        self._parts = parts
        self._timeline = Timeline(parts.spoken_frames, len(parts.utterances))

    async def speeches(
        self, utterances: AsyncGenerator[Utterance, None]
    ) -> AsyncGenerator[PlacedSpeech, None]:
        """The uploaded speech, or that of the utterances, then a closing rest. Raises Failure.

        Everything is stored before it is yielded, so that a render can be done again. What was there before
        comes first, but for what has been rendered.
        """
        # An upload was measured before it was padded.
        most = self._workshop.settings.max_speech_seconds if self._order.pieces is None else math.inf
        store = _SpeechStore(self._workshop.media, self._journal, most)
        sample_rate_hz = SPEECH_RATE_HZ
        for utterance in self._parts.utterances:
            known = await store.recalled(utterance)
            sample_rate_hz = known.sample_rate_hz
            if known.end_frame > self._parts.frame_count:
                yield known
        placed = self._spoken(utterances) if self._order.pieces is None else self._uploaded()
        async with aclosing(placed):
            async for speech in placed:
                stored = await store.add(speech)
                self._timeline.end_frame = stored.end_frame
                sample_rate_hz = stored.sample_rate_hz
                yield stored
        if self._timeline.count:
            rest = self._timeline.rest(sample_rate_hz)
            await store.add(rest)
            if self._parts.speech_seconds is None:
                await store.finish()
            if rest.end_frame > self._parts.frame_count:
                yield rest

    async def _spoken(
        self, utterances: AsyncGenerator[Utterance, None]
    ) -> AsyncGenerator[PlacedSpeech, None]:
        async with aclosing(utterances):
            async for utterance in utterances:
                speech = await self._speech(utterance)
                self._journal.state.spoken_characters += len(utterance.text)
                if speech is not None:
                    yield self._timeline.place(
                        utterance.text, speech.pcm, speech.sample_rate_hz, speech.words
                    )

    async def _uploaded(self) -> AsyncGenerator[PlacedSpeech, None]:
        for piece in (self._order.pieces or ())[self._timeline.count :]:
            yield self._timeline.place_padded(piece, SPEECH_RATE_HZ)

    async def _speech(self, utterance: Utterance) -> Speech | None:
        begun = self._journal.now()
        self._journal.progress.speaking()
        try:
            speech = await self._asked_speech(utterance)
        except Failure as failure:
            # A lone "…" is no reason to lose the rest of the reply.
            if failure.type is FailureType.NOTHING_SPEAKABLE:
                return None
            raise
        if self._journal.state.first_speech_at is None:
            self._journal.state.language = utterance.language
            seconds = self._journal.now() - begun
            self._workshop.estimates.learn(Rate.SPEAKING_SECONDS, self._journal.state.speaker, seconds)
        return speech

    async def _asked_speech(self, utterance: Utterance) -> Speech:
        """A language that was found, not asked for, is a guess: no named voice and no reply fails by it."""
        found = self._order.request.language == "auto"
        language = "" if found and self._order.manner.voice else utterance.language
        text, manner, speaker = utterance.spoken_text, self._order.manner, self._workshop.speech
        try:
            return await speaker.speech(text, language, manner, self._call)
        except Failure as failure:
            if not (found and language and failure.type is FailureType.UNSUPPORTED_LANGUAGE):
                raise
        return await speaker.speech(text, "", manner, self._call)


class _SpeechStore:
    """Keeps a reply's speech, part by part and then as a whole."""

    def __init__(self, media: MediaStore, journal: Journal, max_seconds: float) -> None:
        self._media = media
        self._journal = journal
        self._max_seconds = max_seconds
        self._names: list[str] = []
        self._sample_rate_hz = 0
        self._end_frame = 0

    async def recalled(self, utterance: UtteranceEvent) -> PlacedSpeech:
        """What is stored of an utterance that was told of."""
        name = self._named(utterance.index)
        wav = await self._media.read(self._journal.reply_id, name)
        self._sample_rate_hz = sample_rate_of(wav)
        start, frames = round(utterance.start_seconds * FPS), round(utterance.duration_seconds * FPS)
        self._end_frame = start + frames
        pcm, words = wav[HEADER_BYTES:], tuple(utterance.words)
        return PlacedSpeech(utterance.index, utterance.text, start, frames, self._sample_rate_hz, pcm, words)

    async def add(self, speech: PlacedSpeech) -> PlacedSpeech:
        """Stores a part and, unless it is the rest, tells of it. Raises Failure (too-long)."""
        name = self._named(speech.index)
        data = wav_header(speech.sample_rate_hz, len(speech.pcm)) + speech.pcm
        if not await self._media.write(self._journal.reply_id, name, data):
            speech = _as_stored(speech, await self._media.read(self._journal.reply_id, name), data)
        self._end_frame = speech.end_frame
        self._sample_rate_hz = speech.sample_rate_hz
        if self._end_frame / FPS > self._max_seconds:
            raise Failure(
                FailureType.TOO_LONG, f"The reply would last longer than {self._max_seconds:g} seconds."
            )
        state = self._journal.state
        if state.first_speech_at is None:
            state.first_speech_at = self._journal.now()
        # An upload's length is known from the start.
        state.speech_seconds = max(state.speech_seconds, self._end_frame / FPS)
        if not speech.is_rest:
            await self._journal.write(_utterance_event(speech, self._journal.url(name)))
        return speech

    async def finish(self) -> None:
        """Stores the whole and tells of it."""
        reply_id = self._journal.reply_id
        self._journal.state.speech_at = self._journal.now()
        parts = await read_all(self._media, reply_id, self._names)
        pcm = b"".join(part[HEADER_BYTES:] for part in parts)
        await self._media.write(reply_id, "audio.wav", wav_header(self._sample_rate_hz, len(pcm)) + pcm)
        await self._journal.write(
            AudioOk(
                audio_url=self._journal.url("audio.wav"),
                duration_seconds=self._end_frame / FPS,
                eta_seconds=self._journal.eta_seconds,
            )
        )

    def _named(self, index: int) -> str:
        name = f"{index}.wav"
        self._names.append(name)
        return name


def _as_stored(speech: PlacedSpeech, stored: bytes, data: bytes) -> PlacedSpeech:
    """What a process that died had stored of the same text, if a voice says nothing twice in the same way."""
    if stored == data:
        return speech
    rate = sample_rate_of(stored)
    pcm = stored[HEADER_BYTES:]
    # When each word is said was known to that process alone.
    frames = len(pcm) // BYTES_PER_SAMPLE // samples_per_frame(rate)
    return replace(speech, sample_rate_hz=rate, pcm=pcm, frame_count=frames, words=())


def _utterance_event(speech: PlacedSpeech, audio_url: str) -> UtteranceEvent:
    return UtteranceEvent(
        index=speech.index,
        text=speech.text,
        audio_url=audio_url,
        start_seconds=speech.start_seconds,
        duration_seconds=speech.duration_seconds,
        words=list(speech.words),
    )
