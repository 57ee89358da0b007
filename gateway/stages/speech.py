"""A text goes in, its whole speech with word times comes out: the tts service, seen from here."""

from __future__ import annotations

from dataclasses import dataclass, field

import grpc
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import tts_pb2, tts_pb2_grpc

from gateway.media.timeline import BYTES_PER_SAMPLE
from gateway.reply.events import Word
from gateway.stages.call import Call, Patience

STAGE = "speech"


@dataclass(frozen=True, slots=True)
class Manner:
    """How to speak: an empty voice is the language's own, rate 0 and pitch 0 are the voice's own."""

    voice: str = ""
    speaking_rate: float = 0.0
    pitch_semitones: float = 0.0


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono 16-bit PCM; word times count from its first sample."""

    pcm: bytes = field(repr=False)
    sample_rate_hz: int
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class Voice:
    """A voice that can be asked for by name."""

    name: str
    title: str
    languages: tuple[str, ...]
    gender: str
    provider: str
    embedded: bool
    default: bool


class SpeechStage:
    """Calls the tts service over one channel. One utterance lasts at most `max_seconds`."""

    def __init__(self, channel: grpc.aio.Channel, max_seconds: float) -> None:
        self._stub: tts_pb2_grpc.TtsServiceAsyncStub = tts_pb2_grpc.TtsServiceStub(channel)
        self._max_seconds = max_seconds

    async def speech(self, text: str, language: str, manner: Manner, call: Call) -> Speech:
        """The text, spoken; a call that breaks is made again. Raises Failure."""
        request = tts_pb2.SpeakRequest(
            text=text,
            language=language,
            voice=manner.voice,
            speaking_rate=manner.speaking_rate,
            pitch_semitones=manner.pitch_semitones,
        )
        patience = Patience(call)
        while True:
            try:
                speech = await self._attempt(request, call)
            except Failure as failure:
                await patience.wait_after(failure)
            else:
                patience.renew()
                return speech

    async def _attempt(self, request: tts_pb2.SpeakRequest, call: Call) -> Speech:
        pcm = bytearray()
        sample_rate_hz = 0
        finished: tts_pb2.SpeechFinished | None = None
        with call.traced(STAGE, characters=len(request.text)) as metadata, calling(STAGE):
            responses = self._stub.Speak(request, timeout=call.seconds_left, metadata=metadata)
            try:
                async for response in responses:
                    match response.WhichOneof("event"):
                        case "started":
                            sample_rate_hz = response.started.sample_rate_hz
                        case "chunk":
                            pcm += response.chunk
                            self._check_length(len(pcm), sample_rate_hz)
                        case "finished":
                            finished = response.finished
            finally:
                responses.cancel()
        if finished is None or not sample_rate_hz:
            raise Failure(FailureType.INTERRUPTED, "The speech ended before it was finished.", stage=STAGE)
        words = tuple(
            Word(text=word.text, start_seconds=word.start_seconds, end_seconds=word.end_seconds)
            for word in finished.words
        )
        return Speech(bytes(pcm), sample_rate_hz, words)

    def _check_length(self, pcm_bytes: int, sample_rate_hz: int) -> None:
        if pcm_bytes > self._max_seconds * sample_rate_hz * BYTES_PER_SAMPLE:
            raise Failure(
                FailureType.TOO_LONG,
                f"One sentence takes more than {self._max_seconds:g} seconds to say. Use shorter sentences.",
                stage=STAGE,
            )

    async def voices(self, call: Call) -> list[Voice]:
        """The voices that can be asked for. Raises Failure."""
        with calling(STAGE):
            listed = await self._stub.ListVoices(
                tts_pb2.ListVoicesRequest(), timeout=call.seconds_left, metadata=call.metadata
            )
        return [
            Voice(
                v.name, v.title, tuple(v.languages), v.gender, v.provider.name, v.provider.embedded, v.default
            )
            for v in listed.voices
        ]
