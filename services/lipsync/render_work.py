"""A render goes in, its fragments come out one by one, made in a thread that stops when it is told to."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor

from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.networks import Network
from services.lipsync.rendering import RenderedFragment, Speech, render
from services.lipsync.timings import STOP_SECONDS


class RenderWork:
    """One render. It works only while a fragment is awaited: a slow reader holds one fragment and no more."""

    def __init__(self, speech: Speech, network: Network, avatar: Avatar, threads: ThreadPoolExecutor) -> None:
        self._cancellation = Cancellation()
        self._fragments = render(speech, network, avatar, self._cancellation)
        self._threads = threads
        self._running: asyncio.Future[RenderedFragment | None] | None = None
        # Of the compute thread so far.
        self.cpu_seconds = 0.0
        self.wall_seconds = 0.0

    async def next_fragment(self) -> RenderedFragment | None:
        """None after the last one. When this is cancelled the thread goes on until `stop`."""
        loop = asyncio.get_running_loop()
        self._running = loop.run_in_executor(self._threads, self._advance)
        return await asyncio.shield(self._running)

    async def stop(self) -> float:
        """Ends the render; returns when its thread is free again, with the seconds that took."""
        begun = time.perf_counter()
        self._cancellation.cancel()
        if self._running is not None and not self._running.done():
            await asyncio.wait([self._running])
        await asyncio.get_running_loop().run_in_executor(self._threads, self._fragments.close)
        seconds = time.perf_counter() - begun
        STOP_SECONDS.observe(seconds)
        return seconds

    def _advance(self) -> RenderedFragment | None:
        wall, cpu = time.perf_counter(), time.thread_time()
        try:
            return next(self._fragments, None)
        except Cancelled:
            return None
        finally:
            self.wall_seconds += time.perf_counter() - wall
            self.cpu_seconds += time.thread_time() - cpu
