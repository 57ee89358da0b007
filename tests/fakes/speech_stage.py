"""A text goes in, a speech service that hums it comes out."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import numpy as np
from visavis.v1 import media_pb2, tts_pb2, tts_pb2_grpc

from tests.fakes.faults import Faults

RATE_HZ = 24_000
SECONDS_PER_CHARACTER = 0.03
_CHUNK_BYTES = 8 * 1024


class FakeTts(tts_pb2_grpc.TtsServiceServicer):
    """Hums: a tone as long as the text, and word times spread over it."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.requests: list[tts_pb2.SpeakRequest] = []

    async def Speak(
        self, request: tts_pb2.SpeakRequest, context: Any
    ) -> AsyncGenerator[tts_pb2.SpeakResponse, None]:
        self.requests.append(request)
        async for response in self.faults.applied(_speech_responses(request.text)):
            yield response

    async def ListVoices(
        self, request: tts_pb2.ListVoicesRequest, context: Any
    ) -> tts_pb2.ListVoicesResponse:
        provider = media_pb2.Provider(name="embedded", embedded=True)
        voices = [
            tts_pb2.Voice(
                name=name, title=name.title(), languages=[language], provider=provider, default=True
            )
            for name, language in (("hum-en", "en-US"), ("hum-zh", "cmn"))
        ]
        return tts_pb2.ListVoicesResponse(voices=voices)


async def _speech_responses(text: str) -> AsyncGenerator[tts_pb2.SpeakResponse, None]:
    yield tts_pb2.SpeakResponse(started=tts_pb2.SpeechStarted(sample_rate_hz=RATE_HZ, voice="hum-en"))
    seconds = len(text) * SECONDS_PER_CHARACTER
    time = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    pcm = (8000 * np.sin(2 * np.pi * 220 * time)).astype("<i2").tobytes()
    for begin in range(0, len(pcm), _CHUNK_BYTES):
        yield tts_pb2.SpeakResponse(chunk=pcm[begin : begin + _CHUNK_BYTES])
    words = text.split()
    share = seconds / max(1, len(words))
    timings = [
        media_pb2.WordTiming(text=word, start_seconds=i * share, end_seconds=(i + 1) * share)
        for i, word in enumerate(words)
    ]
    finished = tts_pb2.SpeechFinished(duration_seconds=seconds, words=timings)
    yield tts_pb2.SpeakResponse(finished=finished)
