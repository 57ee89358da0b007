"""An utterance and its PCM chunks go in, a stream of fragments comes out while compute threads make them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import structlog
from visavis.rpc.failures import Failure, FailureType

from services.lipsync.fragments import init_segment, mime_of
from services.lipsync.gallery import Gallery
from services.lipsync.networks import Network
from services.lipsync.render_work import RenderWork
from services.lipsync.rendering import RenderedFragment, Speech
from services.lipsync.schedule import FRAMES_PER_SECOND
from services.lipsync.slots import Slot, Slots
from services.lipsync.uploads import upload_window
from services.lipsync.utterance import Utterance

log = structlog.get_logger()

_WARM_UP_RATE_HZ = 16_000
_WARM_UP_FRAMES = 24


@dataclass(frozen=True, slots=True)
class Started:
    """The first event: what all fragments have in common."""

    frames_total: int
    init_segment: bytes
    mime: str
    fps: float


@dataclass(frozen=True, slots=True)
class Finished:
    """The last event. `render_seconds` is CPU time of the compute thread."""

    frames_total: int
    render_seconds: float


AnimationEvent: TypeAlias = Started | RenderedFragment | Finished


class Animator:
    """Renders at most `slots` utterances at once, each in one thread, never on the event loop."""

    def __init__(
        self,
        gallery: Gallery,
        networks: dict[str, Network],
        default_network: str,
        slots: int,
        *,
        max_seconds: float,
        upload_seconds: float,
    ) -> None:
        self._gallery = gallery
        self.networks = networks
        self.default_network = default_network
        self._slots = Slots(slots)
        self._threads = ThreadPoolExecutor(slots, thread_name_prefix="render")
        self._max_seconds = max_seconds
        self._upload_seconds = upload_seconds
        # A guess until the first fragment; only the wait told to refused callers rests on it.
        self._frames_per_second = 100.0

    async def animate(
        self, utterance: Utterance, chunks: AsyncIterator[bytes]
    ) -> AsyncGenerator[AnimationEvent, None]:
        """Yields Started, the fragments in order, Finished. A fragment is made when the one before was taken.

        Closing the generator or cancelling its task stops the compute thread before it returns.

        Raises:
            Failure: invalid-request, too-long, unknown-network, unknown-avatar, avatar-missing, busy
                or deadline-exceeded (of the upload).
        """
        frames = utterance.frames(self._max_seconds)
        network = self._network(utterance.network)
        with self._slots.taken(frames / self._frames_per_second) as slot:
            avatar = await self._gallery.avatar(utterance.avatar_id, utterance.avatar_hash)
            async with upload_window(self._upload_seconds):
                pcm = await utterance.gathered(chunks)
            speech = Speech(
                pcm, utterance.sample_rate_hz, frames, utterance.start_frame, utterance.resume_frame
            )
            init = init_segment(avatar.size)
            yield Started(frames, init, mime_of(init), FRAMES_PER_SECOND)
            work = RenderWork(speech, network, avatar, self._threads)
            async with aclosing(self._rendered(work, speech, slot)) as rendered:
                async for fragment in rendered:
                    yield fragment
            yield Finished(frames, work.cpu_seconds)

    async def warm_up(self) -> None:
        """Loads the default avatar and renders a second of it with every network."""
        avatar = await self._gallery.avatar("", "")
        noise = np.random.default_rng(0).normal(
            0, 2000, _WARM_UP_RATE_HZ * _WARM_UP_FRAMES // FRAMES_PER_SECOND
        )
        speech = Speech(noise.astype("<i2").tobytes(), _WARM_UP_RATE_HZ, _WARM_UP_FRAMES, start_frame=0)
        for network in self.networks.values():
            work = RenderWork(speech, network, avatar, self._threads)
            first = await work.next_fragment()
            # The first fragment pays for what is done once per process.
            begun, done = work.wall_seconds, first.frames_done if first else 0
            while await work.next_fragment() is not None:
                pass
            self._frames_per_second = (speech.frames - done) / (work.wall_seconds - begun)

    async def close(self) -> None:
        """Frees the threads once the renders that were cancelled have let go of them."""
        await self._slots.all_free()
        self._threads.shutdown()

    def _network(self, name: str) -> Network:
        network = self.networks.get(name or self.default_network)
        if network is None:
            raise Failure(
                FailureType.UNKNOWN_NETWORK,
                f"There is no network of that name. This worker has {', '.join(sorted(self.networks))}.",
            )
        return network

    async def _rendered(
        self, work: RenderWork, speech: Speech, slot: Slot
    ) -> AsyncGenerator[RenderedFragment, None]:
        done, outcome = speech.resume_frame, "cancelled"
        try:
            while (fragment := await work.next_fragment()) is not None:
                done = fragment.frames_done
                self._frames_per_second = (done - speech.resume_frame) / work.wall_seconds
                slot.seconds_left = (speech.frames - done) / self._frames_per_second
                yield fragment
            outcome = "finished"
        except Exception:
            outcome = "failed"
            raise
        finally:
            stop_seconds = await work.stop()
            log.info(
                "render ended",
                outcome=outcome,
                frames_done=done,
                frames_total=speech.frames,
                cpu_seconds=round(work.cpu_seconds, 3),
                stop_seconds=round(stop_seconds, 4),
            )
