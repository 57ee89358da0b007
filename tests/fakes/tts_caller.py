"""A TtsService's address goes in, whole speeches come out: what a gateway would gather."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import calling
from visavis.rpc.server import running
from visavis.rpc.settings import TlsSettings
from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.__main__ import tts_service
from services.tts.settings import TtsSettings

RATE_HZ = 24_000


@dataclass(frozen=True)
class Gathered:
    """One finished Speak; `chunks` as they came."""

    started: tts_pb2.SpeechStarted
    chunks: list[bytes]
    finished: tts_pb2.SpeechFinished

    @property
    def pcm(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def waveform(self) -> NDArray[np.float32]:
        return np.frombuffer(self.pcm, "<i2").astype(np.float32) / np.float32(32_768)

    @property
    def seconds(self) -> float:
        return len(self.pcm) / 2 / RATE_HZ


async def speech(stub: tts_pb2_grpc.TtsServiceAsyncStub, text: str, **fields: Any) -> Gathered:
    """Speaks and gathers. Raises Failure."""
    with calling("speech"):
        events = [event async for event in stub.Speak(tts_pb2.SpeakRequest(text=text, **fields))]
    kinds = [event.WhichOneof("event") for event in events]
    assert kinds == ["started", *["chunk"] * (len(kinds) - 2), "finished"]
    return Gathered(events[0].started, [event.chunk for event in events[1:-1]], events[-1].finished)


@asynccontextmanager
async def running_tts(settings: TtsSettings) -> AsyncIterator[tts_pb2_grpc.TtsServiceAsyncStub]:
    """The service on a real channel, ready."""
    async with (
        running(tts_service(settings), settings) as address,
        open_channel(address, TlsSettings()) as channel,
    ):
        yield tts_pb2_grpc.TtsServiceStub(channel)
