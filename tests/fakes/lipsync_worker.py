"""A folder of models goes in, a real worker comes out, called through a real channel."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from visavis.rpc.channel import open_channel
from visavis.rpc.failures import Failure, calling
from visavis.rpc.server import running
from visavis.rpc.settings import TlsSettings
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from services.lipsync.settings import LipsyncSettings
from services.lipsync.worker import lipsync_service

Worker: TypeAlias = "lipsync_pb2_grpc.LipsyncServiceAsyncStub"
RATE_HZ = 24_000
SAMPLES_PER_FRAME = RATE_HZ // 25
CHUNK_BYTES = 60_000


@asynccontextmanager
async def serving_worker(models_dir: Path, **settings: Any) -> AsyncIterator[str]:
    """The address of a worker that serves `models_dir`, by default the tiny models."""
    named = {"network": "tiny", "avatar": "dot", "drain_seconds": 0.0, **settings}
    chosen = LipsyncSettings(models_dir=models_dir, listen="127.0.0.1:0", **named)
    async with running(lipsync_service(chosen), chosen) as address:
        yield address


@asynccontextmanager
async def running_worker(models_dir: Path, **settings: Any) -> AsyncIterator[Worker]:
    """A stub for such a worker."""
    async with serving_worker(models_dir, **settings) as address:
        channel = open_channel(address, TlsSettings())
        try:
            yield lipsync_pb2_grpc.LipsyncServiceStub(channel)
        finally:
            await channel.close()


def tone(frames: int, hz: float = 220.0, silent_seconds: float = 0.1) -> bytes:
    """24 kHz PCM: a sine with silence at both ends."""
    samples = np.arange(frames * SAMPLES_PER_FRAME)
    wave = 0.5 * np.sin(2 * np.pi * hz * samples / RATE_HZ)
    silent = int(silent_seconds * RATE_HZ)
    if silent:
        wave[:silent] = wave[-silent:] = 0
    return (wave * 32767).astype("<i2").tobytes()


def animate_start(pcm: bytes, **fields: Any) -> lipsync_pb2.AnimateRequest:
    start = {"sample_rate_hz": RATE_HZ, "sample_count": len(pcm) // 2, **fields}
    return lipsync_pb2.AnimateRequest(start=lipsync_pb2.AnimateStart(**start))


def animate_requests(pcm: bytes, **fields: Any) -> Iterator[lipsync_pb2.AnimateRequest]:
    """A whole call: the start, then the PCM in chunks."""
    yield animate_start(pcm, **fields)
    for place in range(0, len(pcm), CHUNK_BYTES):
        yield lipsync_pb2.AnimateRequest(chunk=pcm[place : place + CHUNK_BYTES])


@dataclass
class Animation:
    """Everything a call answered."""

    started: lipsync_pb2.AnimateStarted = field(default_factory=lipsync_pb2.AnimateStarted)
    fragments: list[lipsync_pb2.Fragment] = field(default_factory=list)
    finished: lipsync_pb2.AnimateFinished = field(default_factory=lipsync_pb2.AnimateFinished)
    order: list[str] = field(default_factory=list)

    @property
    def media(self) -> bytes:
        """All fragments, without the init segment."""
        return b"".join(fragment.data for fragment in self.fragments)


async def animated(worker: Worker, pcm: bytes, **fields: Any) -> Animation:
    """One call, from its first message to its status."""
    animation = Animation()
    async for response in worker.Animate(animate_requests(pcm, **fields)):
        kind = response.WhichOneof("event")
        animation.order.append(str(kind))
        if kind == "started":
            animation.started = response.started
        elif kind == "fragment":
            animation.fragments.append(response.fragment)
        else:
            animation.finished = response.finished
    return animation


async def failure_of(worker: Worker, requests: Iterator[lipsync_pb2.AnimateRequest]) -> Failure:
    """What a call that must fail fails with."""
    with pytest.raises(Failure) as caught, calling("video"):
        async for _ in worker.Animate(requests):
            pass
    return caught.value
