"""The real lip-sync worker, made slow: it rests after each fragment, so that several scale on few cores."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from visavis.v1 import lipsync_pb2

from services.lipsync.__main__ import main
from services.lipsync.servicer import LipsyncServicer

REST = "SLOW_WORKER_SECONDS_PER_FRAME"
_animate = LipsyncServicer.Animate


async def _slow_animate(
    self: LipsyncServicer, request_iterator: AsyncIterator[Any], context: Any
) -> AsyncGenerator[lipsync_pb2.AnimateResponse, None]:
    async with aclosing(_animate(self, request_iterator, context)) as responses:
        async for response in responses:
            yield response
            await asyncio.sleep(response.fragment.frame_count * float(os.environ[REST]))


if __name__ == "__main__":
    LipsyncServicer.Animate = _slow_animate  # type: ignore[method-assign]
    main()
