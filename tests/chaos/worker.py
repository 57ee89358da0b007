"""`python -m tests.chaos.worker PORT`: a fake lip-sync worker in a process that can be killed."""

from __future__ import annotations

import asyncio
import sys

from tests.fakes.stages import FakeStages

SECONDS_PER_FRAME = 0.006


async def _serve(port: int) -> None:
    stages = FakeStages()
    stages.lipsync.seconds_per_frame = SECONDS_PER_FRAME
    stages.lipsync_server.address = f"127.0.0.1:{port}"
    await stages.lipsync_server.start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
