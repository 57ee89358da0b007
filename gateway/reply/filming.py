"""Placed speech goes in, stored fragments and one movie come out; on the way their events are written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from visavis.rpc.failures import Failure, FailureType

from gateway.media.movie import finished_movie
from gateway.media.store import read_all
from gateway.media.timeline import FPS, PlacedSpeech
from gateway.reply.events import FragmentEvent, VideoOk
from gateway.reply.journal import Journal
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.reply.workshop import Workshop
from gateway.stages.call import Call, ignore_position
from gateway.stages.video import Fragment, InitSegment, Rendered, VideoPart


class Film:
    """A reply's video while it is being made."""

    def __init__(self, order: Order, workshop: Workshop, journal: Journal, call: Call, parts: Made) -> None:
        self._avatar = order.avatar
        self._network = order.request.network
        self._stage = workshop.video
        self._media = workshop.media
        self._journal = journal
        self._call = call
        self._begun = parts
        self._init: InitSegment | None = None
        self._fragment_count = parts.fragment_count
        self._rendering = 0

    async def parts(self, speech: PlacedSpeech) -> AsyncGenerator[VideoPart, None]:
        """Renders one utterance; several may be rendered at the same time. Raises Failure."""
        # Where one of them is being rendered, the reply does not wait for a worker.
        call = replace(self._call, queued=ignore_position) if self._rendering else self._call
        self._rendering += 1
        try:
            known_frames = max(0, self._begun.frame_count - speech.start_frame)
            fragments = self._stage.fragments(
                speech, self._avatar, self._network, call, known_frames=known_frames
            )
            async with aclosing(fragments) as parts:
                async for part in parts:
                    yield part
        finally:
            self._rendering -= 1

    async def add(self, parts: AsyncGenerator[VideoPart, None]) -> None:
        """Takes in what was rendered of the utterance that is next on the timeline. Raises Failure."""
        async with aclosing(parts):
            async for part in parts:
                match part:
                    case InitSegment():
                        await self._take_init(part)
                    case Fragment():
                        await self._take_fragment(part)
                    case Rendered(render_seconds):
                        self._journal.usage.render_seconds += render_seconds

    async def finish(self) -> None:
        """Makes one movie of all fragments, if there are any."""
        if not self._fragment_count or self._journal.video_url is not None:
            return
        names = ["init.mp4", *(f"{index}.m4s" for index in range(self._fragment_count))]
        reply_id = self._journal.reply_id
        growing = b"".join(await read_all(self._media, reply_id, names))
        movie = await asyncio.to_thread(finished_movie, growing)
        await self._media.write(reply_id, "video.mp4", movie)
        self._journal.state.video_at = self._journal.now()
        self._journal.video_url = self._journal.url("video.mp4")
        await self._journal.write(
            VideoOk(video_url=self._journal.video_url, duration_seconds=self._journal.state.video_seconds)
        )

    async def _take_init(self, init: InitSegment) -> None:
        if self._init is None:
            self._init = init
            if not await self._media.write(self._journal.reply_id, "init.mp4", init.data):
                # Of another process, which began this reply.
                self._init = replace(init, data=await self._media.read(self._journal.reply_id, "init.mp4"))
        if self._init.data != init.data:
            raise Failure(
                FailureType.INTERRUPTED,
                "The video service was replaced by another version in the middle of this reply. Ask again.",
                stage="video",
            )

    async def _take_fragment(self, fragment: Fragment) -> None:
        if self._init is None:
            raise Failure(
                FailureType.UNKNOWN, "The video service sent a fragment before its start.", stage="video"
            )
        index = self._fragment_count
        self._fragment_count += 1
        name = f"{index}.m4s"
        await self._media.write(self._journal.reply_id, name, fragment.data)
        end_seconds = (fragment.start_frame + fragment.frame_count) / FPS
        self._journal.state.take_fragment(self._journal.now(), end_seconds)
        await self._journal.write(
            FragmentEvent(
                index=index,
                url=self._journal.url(name),
                start_seconds=fragment.start_frame / FPS,
                duration_seconds=fragment.frame_count / FPS,
                init_url=self._journal.url("init.mp4") if index == 0 else None,
                mime=self._init.mime if index == 0 else None,
            )
        )
