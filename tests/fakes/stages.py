"""Scripts of faults go in, text, tts and lipsync services come out, served by real gRPC servers."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import grpc
import numpy as np
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings
from visavis.v1 import (
    lipsync_pb2,
    lipsync_pb2_grpc,
    media_pb2,
    text_pb2,
    text_pb2_grpc,
    tts_pb2,
    tts_pb2_grpc,
)

from tests.fakes import fragments
from tests.fakes.avatar_builds import build_responses
from tests.fakes.faults import Faults

REPLY = "The moon is a rock. It shines at night. Nobody lives there."
CONTEXT_TOKENS = 2_000
RATE_HZ = 24_000
SECONDS_PER_CHARACTER = 0.03
_CHUNK_BYTES = 8 * 1024
_EDGE_SAMPLES = 512
_SENTENCE = re.compile(r"[^.!?。！？]+[.!?。！？]+\s*|[^.!?。！？]+$")


class FakeText(text_pb2_grpc.TextServiceServicer):
    """Answers conversations with `reply`; cuts after full stops; a part with a backtick is not spoken."""

    def __init__(self) -> None:
        self.reply = REPLY
        self.faults = Faults()
        self.requests: list[text_pb2.StreamReplyRequest] = []

    async def StreamReply(
        self, request: text_pb2.StreamReplyRequest, context: Any
    ) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
        self.requests.append(request)
        text = self.answer(request.conversation) if request.HasField("conversation") else request.verbatim
        async for response in self.faults.applied(_text_responses(text)):
            yield response

    def answer(self, conversation: text_pb2.Conversation) -> str:
        """What the model says."""
        return self.reply

    async def CountTokens(
        self, request: text_pb2.CountTokensRequest, context: Any
    ) -> text_pb2.CountTokensResponse:
        count = sum(3 + len(message.content.split()) for message in request.messages) + 3
        return text_pb2.CountTokensResponse(prompt_tokens=count, context_tokens=CONTEXT_TOKENS)

    async def ListModels(
        self, request: text_pb2.ListModelsRequest, context: Any
    ) -> text_pb2.ListModelsResponse:
        provider = media_pb2.Provider(name="embedded", embedded=True)
        model = text_pb2.Model(id="tiny", provider=provider, context_tokens=CONTEXT_TOKENS, default=True)
        return text_pb2.ListModelsResponse(models=[model])


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


class FakeLipsync(lipsync_pb2_grpc.LipsyncServiceServicer):
    """Renders grey pictures; refuses speech that would not join without a seam."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.builds = Faults()
        self.starts: list[lipsync_pb2.AnimateStart] = []
        self.seconds_per_frame = 0.0

    async def Animate(
        self, requests: AsyncIterator[lipsync_pb2.AnimateRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        start, pcm = await _received(requests)
        self.starts.append(start)
        async for response in self.faults.applied(self._responses(start, pcm)):
            yield response

    async def _responses(
        self, start: lipsync_pb2.AnimateStart, pcm: bytes
    ) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
        total = _frames(start, pcm)
        yield lipsync_pb2.AnimateResponse(
            started=lipsync_pb2.AnimateStarted(
                frames_total=total, init_segment=fragments.init_segment(), mime=fragments.MIME, fps=25
            )
        )
        frame = start.resume_frame
        while frame < total:
            count = min(8 if frame < 24 else 48, total - frame)
            await asyncio.sleep(count * self.seconds_per_frame)
            made = lipsync_pb2.Fragment(
                start_frame=start.start_frame + frame,
                frame_count=count,
                data=fragments.fragment(start.start_frame + frame, count),
                frames_done=frame + count,
            )
            frame += count
            yield lipsync_pb2.AnimateResponse(fragment=made)
        finished = lipsync_pb2.AnimateFinished(frames_total=total, render_seconds=0.01 * total)
        yield lipsync_pb2.AnimateResponse(finished=finished)

    async def BuildAvatar(
        self, requests: AsyncIterator[lipsync_pb2.BuildAvatarRequest], context: Any
    ) -> AsyncGenerator[lipsync_pb2.BuildAvatarResponse, None]:
        async for response in self.builds.applied(build_responses(requests)):
            yield response

    async def PutAvatar(
        self, requests: AsyncIterator[lipsync_pb2.PutAvatarRequest], context: Any
    ) -> lipsync_pb2.PutAvatarResponse:
        raise Failure(FailureType.UNSUPPORTED_SETTING, "This fake keeps no avatars.")

    async def ListNetworks(
        self, request: lipsync_pb2.ListNetworksRequest, context: Any
    ) -> lipsync_pb2.ListNetworksResponse:
        network = lipsync_pb2.Network(
            name="plain", version="1", contract="pose/1", licence="CC0-1.0", default=True
        )
        return lipsync_pb2.ListNetworksResponse(networks=[network])

    async def ListAvatars(
        self, request: lipsync_pb2.ListAvatarsRequest, context: Any
    ) -> lipsync_pb2.ListAvatarsResponse:
        avatar = lipsync_pb2.Avatar(
            id="grey", name="Grey", hash="0f" * 16, idle_seconds=0.96, width_px=64, height_px=64, default=True
        )
        return lipsync_pb2.ListAvatarsResponse(avatars=[avatar])

    async def GetAvatarFile(
        self, request: lipsync_pb2.GetAvatarFileRequest, context: Any
    ) -> AsyncGenerator[lipsync_pb2.GetAvatarFileResponse, None]:
        poster = request.file == lipsync_pb2.AVATAR_FILE_POSTER
        data = fragments.poster() if poster else fragments.idle_loop()
        media_type = "image/jpeg" if poster else "video/mp4"
        for begin in range(0, len(data), 1000):
            yield lipsync_pb2.GetAvatarFileResponse(media_type=media_type, chunk=data[begin : begin + 1000])


class ServedStage:
    """A servicer behind a real server that can be stopped and started again at the same address."""

    def __init__(self, full_name: str, register: Callable[[grpc.aio.Server], None]) -> None:
        self._service = Service(full_name, register, _nothing, _nothing)
        self._stack = AsyncExitStack()
        self.address = "127.0.0.1:0"

    async def start(self) -> None:
        """Serves until stopped."""
        settings = ServiceSettings(listen=self.address, drain_seconds=0)
        self.address = await self._stack.enter_async_context(running(self._service, settings))

    async def stop(self) -> None:
        """Stops at once, as a killed process would."""
        await self._stack.aclose()


class FakeStages:
    """All three, each with its server."""

    def __init__(self) -> None:
        self.text = FakeText()
        self.tts = FakeTts()
        self.lipsync = FakeLipsync()
        self.text_server = ServedStage(
            "visavis.v1.TextService", lambda s: text_pb2_grpc.add_TextServiceServicer_to_server(self.text, s)
        )
        self.tts_server = ServedStage(
            "visavis.v1.TtsService", lambda s: tts_pb2_grpc.add_TtsServiceServicer_to_server(self.tts, s)
        )
        self.lipsync_server = ServedStage(
            "visavis.v1.LipsyncService",
            lambda s: lipsync_pb2_grpc.add_LipsyncServiceServicer_to_server(self.lipsync, s),
        )

    def forget(self) -> None:
        """Back to well-behaved stages that nobody has called."""
        self.text.reply = REPLY
        self.text.requests.clear()
        self.tts.requests.clear()
        self.lipsync.starts.clear()
        for servicer in (self.text, self.tts, self.lipsync):
            servicer.faults = Faults()


@asynccontextmanager
async def fake_stages() -> AsyncIterator[FakeStages]:
    """Three served fakes on free ports."""
    stages = FakeStages()
    async with AsyncExitStack() as stack:
        for server in (stages.text_server, stages.tts_server, stages.lipsync_server):
            await server.start()
            stack.push_async_callback(server.stop)
        yield stages


async def _nothing() -> None:
    return None


async def _text_responses(text: str) -> AsyncGenerator[text_pb2.StreamReplyResponse, None]:
    yield text_pb2.StreamReplyResponse(started=text_pb2.TextStarted(model="tiny"))
    index = 0
    for match in _SENTENCE.finditer(text):
        sentence = match.group()
        for word in re.findall(r"\S+\s*", sentence):
            yield text_pb2.StreamReplyResponse(delta=text_pb2.TextDelta(delta=word))
        if "`" in sentence:
            continue
        yield text_pb2.StreamReplyResponse(
            utterance=text_pb2.Utterance(
                index=index,
                text=sentence.strip(),
                spoken_text=sentence.strip(),
                language="en",
                offset=match.start(),
            )
        )
        index += 1
    usage = text_pb2.TextUsage(prompt_tokens=7, completion_tokens=len(text.split()))
    finished = text_pb2.TextFinished(text=text, usage=usage, finish_reason="stop")
    yield text_pb2.StreamReplyResponse(finished=finished)


async def _speech_responses(text: str) -> AsyncGenerator[tts_pb2.SpeakResponse, None]:
    yield tts_pb2.SpeakResponse(
        started=tts_pb2.SpeechStarted(sample_rate_hz=RATE_HZ, voice="hum-en", phone_set="")
    )
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


async def _received(
    requests: AsyncIterator[lipsync_pb2.AnimateRequest],
) -> tuple[lipsync_pb2.AnimateStart, bytes]:
    start = lipsync_pb2.AnimateStart()
    pcm = bytearray()
    async for request in requests:
        if request.WhichOneof("part") == "start":
            start = request.start
        else:
            pcm += request.chunk
    return start, bytes(pcm)


def _frames(start: lipsync_pb2.AnimateStart, pcm: bytes) -> int:
    samples = len(pcm) // 2
    frames, left_over = divmod(samples, start.sample_rate_hz // 25)
    edges = pcm[: _EDGE_SAMPLES * 2] + pcm[-_EDGE_SAMPLES * 2 :]
    sound = samples == start.sample_count and not left_over and frames % 8 == 0 and not any(edges)
    if not sound or start.start_frame % 8 or start.resume_frame % 8:
        raise Failure(FailureType.INVALID_REQUEST, "The speech does not lie on the grid.")
    return frames
