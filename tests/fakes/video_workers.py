"""Video workers go in, a gateway that finds all of them behind one name comes out."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import grpc
from visavis.v1 import lipsync_pb2_grpc

from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages, ServedStage
from tests.fakes.video_stage import FakeLipsync


@asynccontextmanager
async def gateway_with(
    worker: FakeLipsync, *others: FakeLipsync, folder: Path
) -> AsyncIterator[ServedGateway]:
    """A gateway that finds all these video workers behind one name."""
    stages = FakeStages()
    stages.lipsync = worker
    async with AsyncExitStack() as stack:
        for server in (stages.text_server, stages.tts_server, stages.lipsync_server):
            await server.start()
            stack.push_async_callback(server.stop)
        addresses = [stages.lipsync_server.address]
        for other in others:
            another = ServedStage("visavis.v1.LipsyncService", _registering(other))
            await another.start()
            stack.push_async_callback(another.stop)
            addresses.append(another.address)
        target = f"ipv4:{','.join(addresses)}"
        yield await stack.enter_async_context(served_gateway(stages, folder, lipsync_target=target))


def _registering(worker: FakeLipsync) -> Callable[[grpc.aio.Server], None]:
    return lambda server: lipsync_pb2_grpc.add_LipsyncServiceServicer_to_server(worker, server)
