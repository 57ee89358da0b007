"""An order goes in; text, speech and video come out overlapping, each step an event in the reply's log.

The stages are async generators, each running ahead of the next up to a bound. What fails ends the reply
after everything that was made before it has been delivered.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from visavis.rpc.failures import Failure, FailureType

from gateway.addresses import part_url
from gateway.estimates import Estimates, Rate, ReplyState
from gateway.event_log import EventLog
from gateway.events import (
    AudioOk,
    Done,
    Event,
    FragmentEvent,
    TextDelta,
    TextOk,
    TextUsage,
    Timings,
    Usage,
    UtteranceEvent,
    VideoOk,
)
from gateway.media.movie import finished_movie
from gateway.media.store import MediaStore
from gateway.media.timeline import FPS, PlacedSpeech, Timeline
from gateway.media.wav import HEADER_BYTES, wav_header
from gateway.orders import UPLOAD_RATE_HZ, Order
from gateway.prefetch import ahead
from gateway.progress import Progress
from gateway.settings import GatewaySettings
from gateway.stages.call import Call
from gateway.stages.speech import Speech, SpeechStage
from gateway.stages.text import Delta, TextFinished, TextStage, Utterance
from gateway.stages.video import Fragment, InitSegment, Rendered, VideoStage


@dataclass(frozen=True, slots=True)
class Workshop:
    """What replies are made with, the same for all of them."""

    settings: GatewaySettings
    log: EventLog
    media: MediaStore
    text: TextStage
    speech: SpeechStage
    video: VideoStage
    estimates: Estimates


class Pipeline:
    """Makes one reply."""

    def __init__(
        self, order: Order, workshop: Workshop, call: Call, progress: Progress, started: float
    ) -> None:
        self._order = order
        self._shop = workshop
        self._call = call
        self._progress = progress
        self._state: ReplyState = progress.state
        self._started = started
        self._timeline = Timeline()
        self._usage = Usage()
        self._init: InitSegment | None = None
        self._fragment_count = 0
        self._video_url: str | None = None

    async def run(self) -> None:
        """Makes what the order asks for. Raises Failure."""
        bounds = self._shop.settings
        if self._order.request.wants_video:
            async with aclosing(ahead(self._speeches(), bounds.speeches_ahead)) as speeches:
                async for speech in speeches:
                    await self._render(speech)
            await self._finish_video()
        elif self._order.request.wants_speech:
            async with aclosing(self._speeches()) as speeches:
                async for _ in speeches:
                    pass
        else:
            async with aclosing(self._utterances()) as utterances:
                async for _ in utterances:
                    pass

    def done(self, *, cancelled: bool) -> Done:
        """The terminal event, with what was used up to now."""
        state = self._state
        return Done(
            status="cancelled" if cancelled else "completed",
            video_url=self._video_url,
            usage=self._usage.model_copy(
                update={
                    "speech_seconds": round(state.speech_seconds, 3),
                    "video_seconds": round(state.video_seconds, 3),
                    "render_seconds": round(self._usage.render_seconds, 3),
                }
            ),
            timings=Timings(
                first_text_seconds=_rounded(state.first_text_at),
                text_seconds=_rounded(state.text_at),
                first_speech_seconds=_rounded(state.first_speech_at),
                speech_seconds=_rounded(state.speech_at),
                first_fragment_seconds=_rounded(state.first_fragment_at),
                video_seconds=_rounded(state.video_at),
                total_seconds=_rounded(self._now()),
            ),
        )

    async def _utterances(self) -> AsyncGenerator[Utterance, None]:
        parts = self._shop.text.reply(self._order.source, self._order.request.language, self._call)
        async with aclosing(parts):
            async for part in parts:
                match part:
                    case Delta(text):
                        await self._take_delta(text)
                    case Utterance():
                        yield part
                    case TextFinished():
                        await self._finish_text(part)

    async def _take_delta(self, text: str) -> None:
        if not text:
            return
        if self._state.first_text_at is None:
            self._state.first_text_at = self._now()
        self._state.characters += len(text)
        await self._emit(TextDelta(delta=text))

    async def _finish_text(self, finished: TextFinished) -> None:
        self._state.text_at = self._now()
        self._usage.prompt_tokens = finished.prompt_tokens
        self._usage.completion_tokens = finished.completion_tokens
        usage = TextUsage(prompt_tokens=finished.prompt_tokens, completion_tokens=finished.completion_tokens)
        eta_seconds = self._progress.eta().eta_seconds
        await self._emit(TextOk(text=finished.text, usage=usage, eta_seconds=eta_seconds))

    async def _speeches(self) -> AsyncGenerator[PlacedSpeech, None]:
        """Every utterance's speech in its place, stored; a closing rest after the last."""
        placed = self._uploaded() if self._order.pieces is not None else self._spoken()
        sample_rate_hz = UPLOAD_RATE_HZ
        async with aclosing(placed):
            async for speech in placed:
                sample_rate_hz = speech.sample_rate_hz
                await self._store(speech)
                yield speech
        if self._timeline.count:
            rest = self._timeline.rest(sample_rate_hz)
            await self._store(rest)
            await self._finish_speech(sample_rate_hz)
            yield rest

    async def _spoken(self) -> AsyncGenerator[PlacedSpeech, None]:
        utterances = ahead(self._utterances(), self._shop.settings.utterances_ahead)
        async with aclosing(utterances):
            async for utterance in utterances:
                speech = await self._speech(utterance)
                self._state.spoken_characters += len(utterance.text)
                if speech is not None:
                    yield self._timeline.place(
                        utterance.text, speech.pcm, speech.sample_rate_hz, speech.words
                    )

    async def _uploaded(self) -> AsyncGenerator[PlacedSpeech, None]:
        for piece in self._order.pieces or ():
            yield self._timeline.place_padded(piece, UPLOAD_RATE_HZ)

    async def _speech(self, utterance: Utterance) -> Speech | None:
        begun = self._now()
        try:
            speech = await self._shop.speech.speech(
                utterance.spoken_text, utterance.language, self._order.manner, self._call
            )
        except Failure as failure:
            # A lone "…" is no reason to lose the rest of the reply.
            if failure.type is FailureType.NOTHING_SPEAKABLE:
                return None
            raise
        if self._state.first_speech_at is None:
            self._state.language = utterance.language
            self._shop.estimates.learn(Rate.SPEAKING_SECONDS, utterance.language, self._now() - begun)
        return speech

    async def _store(self, speech: PlacedSpeech) -> None:
        """Keeps an utterance's speech before anything is rendered of it, and tells of it."""
        if self._timeline.end_frame / FPS > self._shop.settings.max_speech_seconds:
            raise Failure(
                FailureType.TOO_LONG,
                f"The reply would last longer than {self._shop.settings.max_speech_seconds:g} seconds.",
            )
        name = f"{speech.index}.wav"
        data = wav_header(speech.sample_rate_hz, len(speech.pcm)) + speech.pcm
        await self._shop.media.write(self._order.reply_id, name, data)
        if self._state.first_speech_at is None:
            self._state.first_speech_at = self._now()
        self._state.speech_seconds = max(self._state.speech_seconds, self._timeline.end_frame / FPS)
        if not speech.is_rest:
            await self._emit(
                UtteranceEvent(
                    index=speech.index,
                    text=speech.text,
                    audio_url=self._url(name),
                    start_seconds=speech.start_seconds,
                    duration_seconds=speech.duration_seconds,
                    words=list(speech.words),
                )
            )

    async def _finish_speech(self, sample_rate_hz: int) -> None:
        self._state.speech_at = self._now()
        reply_id, media = self._order.reply_id, self._shop.media
        parts = [
            (await media.read(reply_id, f"{index}.wav"))[HEADER_BYTES:]
            for index in range(self._timeline.count + 1)
        ]
        pcm = b"".join(parts)
        await media.write(reply_id, "audio.wav", wav_header(sample_rate_hz, len(pcm)) + pcm)
        await self._emit(
            AudioOk(
                audio_url=self._url("audio.wav"),
                duration_seconds=self._timeline.end_frame / FPS,
                eta_seconds=self._progress.eta().eta_seconds,
            )
        )

    async def _render(self, speech: PlacedSpeech) -> None:
        begun = self._now()
        parts = self._shop.video.fragments(speech, self._order.avatar_id, self._call)
        async with aclosing(parts):
            async for part in parts:
                match part:
                    case InitSegment():
                        await self._take_init(part)
                    case Fragment():
                        await self._take_fragment(part)
                    case Rendered(render_seconds):
                        self._usage.render_seconds += render_seconds
        self._state.rendering_seconds += self._now() - begun

    async def _take_init(self, init: InitSegment) -> None:
        if self._init is None:
            self._init = init
            await self._shop.media.write(self._order.reply_id, "init.mp4", init.data)
        elif self._init.data != init.data:
            raise Failure(
                FailureType.INTERRUPTED,
                "The video service was replaced by another version in the middle of this reply. Ask again.",
                stage="video",
            )

    async def _take_fragment(self, fragment: Fragment) -> None:
        if self._init is None:
            raise Failure(
                FailureType.UNKNOWN, "The video service sent a fragment before its start.", stage="video"
            )
        index = self._fragment_count
        first = index == 0
        self._fragment_count += 1
        name = f"{index}.m4s"
        await self._shop.media.write(self._order.reply_id, name, fragment.data)
        if first:
            self._state.first_fragment_at = self._now()
            self._state.first_fragment_seconds = fragment.frame_count / FPS
        self._state.video_seconds = (fragment.start_frame + fragment.frame_count) / FPS
        await self._emit(
            FragmentEvent(
                index=index,
                url=self._url(name),
                start_seconds=fragment.start_frame / FPS,
                duration_seconds=fragment.frame_count / FPS,
                init_url=self._url("init.mp4") if first else None,
                mime=self._init.mime if first else None,
            )
        )

    async def _finish_video(self) -> None:
        if not self._fragment_count:
            return
        reply_id, media = self._order.reply_id, self._shop.media
        names = ["init.mp4", *(f"{index}.m4s" for index in range(self._fragment_count))]
        growing = b"".join([await media.read(reply_id, name) for name in names])
        movie = await asyncio.to_thread(finished_movie, growing)
        await media.write(reply_id, "video.mp4", movie)
        self._state.video_at = self._now()
        self._video_url = self._url("video.mp4")
        await self._emit(VideoOk(video_url=self._video_url, duration_seconds=self._state.video_seconds))

    async def _emit(self, event: Event) -> None:
        await self._shop.log.append(self._order.reply_id, event)

    def _url(self, part: str) -> str:
        return part_url(self._order.reply_id, part)

    def _now(self) -> float:
        return asyncio.get_running_loop().time() - self._started


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
