"""`python -m tests.fakes`: three fakes come up at the default targets, about as fast as a real machine."""

from __future__ import annotations

import asyncio

from tests.fakes.stages import FakeStages


async def _serve() -> None:
    stages = FakeStages()
    stages.lipsync.seconds_per_frame = 0.012
    for server, port in (
        (stages.text_server, 50051),
        (stages.tts_server, 50052),
        (stages.lipsync_server, 50053),
    ):
        server.address = f"127.0.0.1:{port}"
        await server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
