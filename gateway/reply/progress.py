"""A reply's state and the clock go in, progress events come out: at most 4 a second, never back, never 1."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from gateway.media.timeline import FPS
from gateway.reply.estimates import Estimates, Eta, until
from gateway.reply.events import ProgressEvent
from gateway.reply.learned import Rate
from gateway.reply.reply_state import ReplyState
from gateway.stages.call import Absence, Wait

MIN_INTERVAL_SECONDS = 0.25
_MAX_FRACTION = 0.99
_SMALLEST_STEP = 0.005
# A shorter absence was no start.
_SHORTEST_START_SECONDS = 1.0


class Progress:
    """Follows one reply. `clock` gives seconds since its POST; `fraction` is what was told before."""

    def __init__(
        self, state: ReplyState, estimates: Estimates, clock: Callable[[], float], fraction: float = 0.0
    ) -> None:
        self.state = state
        self._wait: Wait | None = None
        self._waits_since = 0.0
        self._queue_seconds: Callable[[], float] = float
        self._asleep: Callable[[], frozenset[str]] = frozenset
        self._estimates = estimates
        self._clock = clock
        self._fraction = fraction
        # Speech that was uploaded needs no text.
        self._speaking = state.text_at is not None

    def speaking(self) -> None:
        """A first utterance is complete, and is being spoken."""
        self._speaking = True

    def expect_queue(self, seconds: Callable[[], float]) -> None:
        """How long the video stage's queue is, asked for until the reply stands in it."""
        self._queue_seconds = seconds

    def expect_starts(self, asleep: Callable[[], frozenset[str]]) -> None:
        """Which stages would have to start first, asked for as long as the reply has yet to get there."""
        self._asleep = asleep

    def wait_in_queue(self, wait: Wait | None) -> None:
        """What the reply waits for; None: it is being served."""
        now = self._clock()
        if self._wait is None:
            self._waits_since = now
        elif wait is None:
            waited = now - self._waits_since
            self.state.waited_seconds += waited
            if isinstance(self._wait, Absence) and waited >= _SHORTEST_START_SECONDS:
                self._estimates.learn(Rate.START_SECONDS, self._wait.stage, waited)
        self._wait = wait

    def video_seconds_left(self) -> float:
        """How long the reply's video will take a worker from here."""
        return self._estimates.video_seconds_left(self.state, self._clock())

    def eta(self) -> Eta:
        """What is left now, rounded to tenths."""
        eta = self._left(self._clock())
        return Eta(round(eta.starts_in_seconds, 1), round(eta.eta_seconds, 1))

    def event(self) -> ProgressEvent:
        """How far the reply is now."""
        elapsed = self._clock()
        eta = self._left(elapsed)
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
            queue_position=0 if self._wait is None else self._wait.position,
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

    def _left(self, now: float) -> Eta:
        # While it waits, the clock stands still for the rest.
        rest = self._estimates.eta(self.state, now if self._wait is None else self._waits_since)
        ahead = self._starts_ahead()
        if isinstance(self._wait, Absence):
            ahead += until(self._waits_since + self._start_seconds(self._wait.stage), now)
        elif self._wait is not None:
            ahead += self._wait.seconds_left()
        elif self.state.wants_video and self.state.first_speech_at is None:
            # By the time that there is something to film.
            ahead += max(0.0, self._queue_seconds() - rest.starts_in_seconds)
        seen = self.state.first_fragment_at is not None
        return Eta(0.0 if seen else rest.starts_in_seconds + ahead, rest.eta_seconds + ahead)

    def _starts_ahead(self) -> float:
        state = self.state
        ahead = set()
        if state.first_text_at is None and state.text_at is None:
            ahead.add("text")
        if state.wants_speech and state.first_speech_at is None and state.expected_characters != 0:
            ahead.add("speech")
        if state.wants_video and state.first_fragment_at is None:
            ahead.add("video")
        if isinstance(self._wait, Absence):
            ahead.discard(self._wait.stage)
        # Each is called by what the one before it made.
        return sum(self._start_seconds(stage) for stage in ahead & self._asleep()) if ahead else 0.0

    def _start_seconds(self, stage: str) -> float:
        return self._estimates.rate(Rate.START_SECONDS, stage)

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
