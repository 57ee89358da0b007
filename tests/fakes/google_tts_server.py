"""A test's script goes in, a local server of Google's Text-to-Speech API (its own types) comes out."""

from __future__ import annotations

import asyncio
import io
import re
import wave
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import grpc
import numpy as np
from google.cloud import texttospeech_v1beta1 as google_tts

Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Answer: TypeAlias = Callable[
    [google_tts.SynthesizeSpeechRequest, Context], Awaitable[google_tts.SynthesizeSpeechResponse]
]

StreamAnswer: TypeAlias = Callable[[Sequence[google_tts.StreamingSynthesizeRequest]], AsyncIterator[bytes]]

SERVICE = "google.cloud.texttospeech.v1beta1.TextToSpeech"
SECONDS_PER_WORD = 0.3


def voice(name: str, language: str, gender: int) -> google_tts.Voice:
    return google_tts.Voice(
        name=name,
        language_codes=[language],
        ssml_gender=google_tts.SsmlVoiceGender(gender),
        natural_sample_rate_hertz=24_000,
    )


VOICES = (
    voice("cmn-CN-Wavenet-A", "cmn-CN", google_tts.SsmlVoiceGender.FEMALE),
    voice("cmn-CN-Wavenet-D", "cmn-CN", google_tts.SsmlVoiceGender.FEMALE),
    voice("en-US-Chirp3-HD-Kore", "en-US", google_tts.SsmlVoiceGender.FEMALE),
    voice("en-US-Studio-O", "en-US", google_tts.SsmlVoiceGender.FEMALE),
    voice("en-US-Wavenet-A", "en-US", google_tts.SsmlVoiceGender.MALE),
    voice("en-US-Wavenet-F", "en-US", google_tts.SsmlVoiceGender.FEMALE),
)


async def tones(
    request: google_tts.SynthesizeSpeechRequest, context: Context
) -> google_tts.SynthesizeSpeechResponse:
    """A tone for each word, and the time of every mark, as the real service answers."""
    marks = re.findall(r'<mark name="([^"]*)"/>', request.input.ssml)
    words = len(marks) or len(request.input.text.split())
    rate_hz = request.audio_config.sample_rate_hertz
    pcm = tone(words, rate_hz)
    file = io.BytesIO()
    with wave.open(file, "wb") as riff:
        riff.setnchannels(1)
        riff.setsampwidth(2)
        riff.setframerate(rate_hz)
        riff.writeframes(pcm)
    return google_tts.SynthesizeSpeechResponse(
        audio_content=file.getvalue(),
        timepoints=[
            google_tts.Timepoint(mark_name=mark, time_seconds=index * SECONDS_PER_WORD)
            for index, mark in enumerate(marks)
        ],
    )


def tone(words: int, rate_hz: int) -> bytes:
    """16-bit PCM that lasts as long as so many words."""
    time = np.arange(round(words * SECONDS_PER_WORD * rate_hz)) / rate_hz
    return (8_000 * np.sin(2 * np.pi * 220 * time)).astype("<i2").tobytes()


async def streamed_tones(requests: Sequence[google_tts.StreamingSynthesizeRequest]) -> AsyncIterator[bytes]:
    """A tone for each word of the second message, in pieces, as the first one asks for it."""
    config, text = requests
    pcm = tone(len(text.input.text.split()), config.streaming_config.streaming_audio_config.sample_rate_hertz)
    for start in range(0, len(pcm), 4_000):
        yield pcm[start : start + 4_000]


def breaking_off(code: grpc.StatusCode) -> StreamAnswer:
    """Sends a piece, then ends the stream with that code."""

    async def answer(requests: Sequence[google_tts.StreamingSynthesizeRequest]) -> AsyncIterator[bytes]:
        async for piece in streamed_tones(requests):
            yield piece
            raise BrokenOffError(code)

    return answer


async def falling_silent(requests: Sequence[google_tts.StreamingSynthesizeRequest]) -> AsyncIterator[bytes]:
    """Sends a piece, then nothing more."""
    async for piece in streamed_tones(requests):
        yield piece
        await asyncio.Event().wait()


def refusing(code: grpc.StatusCode) -> Answer:
    """Ends every call with that code."""

    async def answer(
        request: google_tts.SynthesizeSpeechRequest, context: Context
    ) -> google_tts.SynthesizeSpeechResponse:
        await context.abort(code, "the vendor's own words, with a key in them")
        raise AssertionError("abort raises")

    return answer


class BrokenOffError(Exception):
    """The stream is to end with the status code that is the only argument."""


@dataclass
class GoogleTts:
    """What the server was asked, and how it answers; both answers may be replaced at any time."""

    answer: Answer = tones
    stream_answer: StreamAnswer = streamed_tones
    address: str = ""
    requests: list[google_tts.SynthesizeSpeechRequest] = field(default_factory=list)
    streams: list[list[google_tts.StreamingSynthesizeRequest]] = field(default_factory=list)
    lists_asked: int = 0
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    abandoned: asyncio.Event = field(default_factory=asyncio.Event)

    async def synthesize(
        self, request: google_tts.SynthesizeSpeechRequest, context: Context
    ) -> google_tts.SynthesizeSpeechResponse:
        self.requests.append(request)
        self.asked.set()
        try:
            return await self.answer(request, context)
        except asyncio.CancelledError:
            self.abandoned.set()
            raise

    async def streaming_synthesize(
        self, requests: AsyncIterator[google_tts.StreamingSynthesizeRequest], context: Context
    ) -> AsyncIterator[google_tts.StreamingSynthesizeResponse]:
        self.streams.append([request async for request in requests])
        self.asked.set()
        try:
            async for piece in self.stream_answer(self.streams[-1]):
                yield google_tts.StreamingSynthesizeResponse(audio_content=piece)
        except asyncio.CancelledError:
            self.abandoned.set()
            raise
        except BrokenOffError as error:
            await context.abort(error.args[0], "the vendor's own words, with a key in them")

    async def list_voices(
        self, request: google_tts.ListVoicesRequest, context: Context
    ) -> google_tts.ListVoicesResponse:
        self.lists_asked += 1
        return google_tts.ListVoicesResponse(voices=VOICES)


@asynccontextmanager
async def google_tts_server() -> AsyncIterator[GoogleTts]:
    """The server on a free port; its address is what TTS_GOOGLE_ENDPOINT takes."""
    google = GoogleTts()
    server = grpc.aio.server()
    methods = {
        "SynthesizeSpeech": grpc.unary_unary_rpc_method_handler(
            google.synthesize,
            google_tts.SynthesizeSpeechRequest.deserialize,
            google_tts.SynthesizeSpeechResponse.serialize,
        ),
        "StreamingSynthesize": grpc.stream_stream_rpc_method_handler(
            google.streaming_synthesize,
            google_tts.StreamingSynthesizeRequest.deserialize,
            google_tts.StreamingSynthesizeResponse.serialize,
        ),
        "ListVoices": grpc.unary_unary_rpc_method_handler(
            google.list_voices,
            google_tts.ListVoicesRequest.deserialize,
            google_tts.ListVoicesResponse.serialize,
        ),
    }
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, methods)])
    google.address = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield google
    finally:
        await server.stop(0)
