"""TtsService's requests go in, its responses come out: protobuf to domain and back, nothing else."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from visavis.v1 import media_pb2, tts_pb2, tts_pb2_grpc

from services.tts.mastering import SAMPLE_RATE_HZ
from services.tts.providers import SpeechProvider, Timing
from services.tts.speech import Chunk, Order, SpeechEvent, Started, spoken

if TYPE_CHECKING:
    import grpc

    Context = grpc.aio.ServicerContext[Any, Any]


class TtsServicer(tts_pb2_grpc.TtsServiceServicer):
    """Speaks with one provider; handlers raise `Failure`."""

    def __init__(self, provider: SpeechProvider, *, max_characters: int) -> None:
        self._provider = provider
        self._max_characters = max_characters

    async def Speak(
        self,
        request: tts_pb2.SpeakRequest,
        context: Context,
    ) -> AsyncGenerator[tts_pb2.SpeakResponse, None]:
        """One utterance's speech."""
        order = Order(
            text=request.text,
            language=request.language,
            voice=request.voice,
            speaking_rate=request.speaking_rate or 1.0,
            pitch_semitones=request.pitch_semitones,
        )
        async with aclosing(spoken(self._provider, order, max_characters=self._max_characters)) as events:
            async for event in events:
                yield self._response(event)

    async def ListVoices(
        self,
        request: tts_pb2.ListVoicesRequest,
        context: Context,
    ) -> tts_pb2.ListVoicesResponse:
        """The provider's voices."""
        return tts_pb2.ListVoicesResponse(
            voices=[
                tts_pb2.Voice(
                    name=voice.name,
                    title=voice.title,
                    languages=voice.languages,
                    gender=voice.gender,
                    provider=self._provider_message(),
                    default=voice.default,
                )
                for voice in await self._provider.voices()
            ]
        )

    def _response(self, event: SpeechEvent) -> tts_pb2.SpeakResponse:
        if isinstance(event, Started):
            return tts_pb2.SpeakResponse(
                started=tts_pb2.SpeechStarted(
                    sample_rate_hz=SAMPLE_RATE_HZ,
                    provider=self._provider_message(),
                    voice=event.voice.name,
                )
            )
        if isinstance(event, Chunk):
            return tts_pb2.SpeakResponse(chunk=event.pcm)
        return tts_pb2.SpeakResponse(
            finished=tts_pb2.SpeechFinished(
                duration_seconds=event.duration_seconds,
                words=_words(event.words),
            )
        )

    def _provider_message(self) -> media_pb2.Provider:
        return media_pb2.Provider(name=self._provider.name, embedded=self._provider.embedded)


def _words(timings: Sequence[Timing]) -> list[media_pb2.WordTiming]:
    return [
        media_pb2.WordTiming(text=word.text, start_seconds=word.start_seconds, end_seconds=word.end_seconds)
        for word in timings
    ]
