"""Nothing goes in; text, tts and lipsync services come out, fake, each behind a real gRPC server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
from visavis.rpc.server import Service, running
from visavis.rpc.settings import ServiceSettings
from visavis.v1 import lipsync_pb2_grpc, text_pb2_grpc, tts_pb2_grpc

from tests.fakes.faults import Faults
from tests.fakes.speech_stage import FakeTts
from tests.fakes.text_stage import REPLY, FakeText
from tests.fakes.video_stage import FakeLipsync


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

    def faults_of(self, stage: str) -> Faults:
        """Those planned for text, speech or video."""
        return {
            "text": self.text.faults,
            "speech": self.tts.faults,
            "video": self.lipsync.faults,
        }[stage]

    def forget(self) -> None:
        """Back to well-behaved stages that nobody has called."""
        self.text.reply, self.text.finish_reason = REPLY, "stop"
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
