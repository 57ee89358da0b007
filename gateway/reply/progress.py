"""A reply's state and the clock go in, progress events come out: at most 4 a second, never back, never 1."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from gateway.media.timeline import FPS
from gateway.reply.estimates import Estimates, Eta, ReplyState
from gateway.reply.events import ProgressEvent

MIN_INTERVAL_SECONDS = 0.25
_MAX_FRACTION = 0.99
_SMALLEST_STEP = 0.005


class Progress:
    """Follows one reply. `clock` gives seconds since its POST; `fraction` is what was told before."""

    def __init__(
        self, state: ReplyState, estimates: Estimates, clock: Callable[[], float], fraction: float = 0.0
    ) -> None:
        self.state = state
        self._queue_position = 0
        self._estimates = estimates
        self._clock = clock
        self._fraction = fraction
        # Speech that was uploaded needs no text.
        self._speaking = state.text_at is not None

    def speaking(self) -> None:
        """A first utterance is complete, and is being spoken."""
        self._speaking = True

    def wait_in_queue(self, position: int) -> None:
        """How many are before this reply at the stage it waits for; 0: it is being served."""
        self._queue_position = position

    def eta(self) -> Eta:
        """What is left now, rounded to tenths."""
        eta = self._estimates.eta(self.state, self._clock())
        return Eta(round(eta.starts_in_seconds, 1), round(eta.eta_seconds, 1))

    def event(self) -> ProgressEvent:
        """How far the reply is now."""
        elapsed = self._clock()
        eta = self._estimates.eta(self.state, elapsed)
        reached = elapsed / (elapsed + eta.eta_seconds) if elapsed > 0 else 0.0
        self._fraction = max(self._fraction, min(_MAX_FRACTION, reached))
        frames_total = round(self.state.speech_seconds * FPS) if self.state.wants_video else 0
        return ProgressEvent(
            stage=self._stage(),
            fraction=round(self._fraction, 3),
            starts_in_seconds=round(eta.starts_in_seconds, 1),
            eta_seconds=round(eta.eta_seconds, 1),
            frames_done=round(self.state.video_seconds * FPS),
            frames_total=frames_total,
            queue_position=self._queue_position,
        )

    async def tell(self, emit: Callable[[ProgressEvent], Awaitable[None]]) -> None:
        """Emits an event whenever something has changed, until cancelled."""
        told: ProgressEvent | None = None
        while True:
            event = self.event()
            if told is None or _differs(event, told):
                await emit(event)
                told = event
            await asyncio.sleep(MIN_INTERVAL_SECONDS)

    def _stage(self) -> Literal["text", "speech", "video"]:
        if self.state.first_speech_at is None:
            return "speech" if self._speaking else "text"
        return "video" if self.state.wants_video else "speech"


def _differs(event: ProgressEvent, told: ProgressEvent) -> bool:
    if event.fraction - told.fraction >= _SMALLEST_STEP:
        return True
    ignored = {"fraction", "eta_seconds", "starts_in_seconds"}
    if event.model_dump(exclude=ignored) != told.model_dump(exclude=ignored):
        return True
    return abs(event.eta_seconds - told.eta_seconds) >= 1.0
