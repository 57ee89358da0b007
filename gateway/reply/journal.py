"""What happens to one reply goes in; its events reach the log, its state and costs are kept."""

from __future__ import annotations

import asyncio

from gateway.reply.addresses import part_url
from gateway.reply.event_log import EventLog
from gateway.reply.events import Accepted, Done, Event, TextOk, Timings, Usage
from gateway.reply.progress import Progress
from gateway.reply.reply_state import ReplyState


class Journal:
    """Kept by whoever works on the reply. `started` is the POST on the event loop's clock."""

    def __init__(self, reply_id: str, log: EventLog, progress: Progress, started: float) -> None:
        self.reply_id = reply_id
        self.usage = Usage()
        self.video_url: str | None = None
        self._log = log
        self.progress = progress
        self.started = started
        # When the reply should be done, as its client was told, by the event that told it.
        self.told: dict[str, float] = {}
        # From here on nothing that a model was paid for can be lost.
        self.text_there = asyncio.Event()

    @property
    def state(self) -> ReplyState:
        """What is known of the reply at this moment."""
        return self.progress.state

    @property
    def eta_seconds(self) -> float:
        """Until the reply is done, as things stand."""
        return self.progress.eta().eta_seconds

    def now(self) -> float:
        """Seconds since the POST."""
        return asyncio.get_running_loop().time() - self.started

    def url(self, part: str) -> str:
        """The address of one of the reply's parts."""
        return part_url(self.reply_id, part)

    def tell(self, event: Accepted | TextOk) -> None:
        """Keeps when the reply should be done, as its client is told."""
        self.told[event.event_name] = self.now() + event.eta_seconds

    async def write(self, event: Event) -> None:
        """Adds an event to the log."""
        if isinstance(event, TextOk):
            self.tell(event)
        await self._log.append(self.reply_id, event)
        if isinstance(event, TextOk):
            self.text_there.set()

    def used(self) -> Usage:
        """What the reply cost up to now."""
        self.usage.speech_seconds = round(self.state.speech_seconds, 3)
        self.usage.video_seconds = round(self.state.video_seconds, 3)
        self.usage.render_seconds = round(self.usage.render_seconds, 3)
        return self.usage

    def done(self, *, cancelled: bool) -> Done:
        """The terminal event of a reply that did not fail, with what was used up to now."""
        state = self.state
        return Done(
            status="cancelled" if cancelled else "completed",
            video_url=self.video_url,
            usage=self.used(),
            timings=Timings(
                first_text_seconds=_rounded(state.first_text_at),
                text_seconds=_rounded(state.text_at),
                first_speech_seconds=_rounded(state.first_speech_at),
                speech_seconds=_rounded(state.speech_at),
                first_fragment_seconds=_rounded(state.first_fragment_at),
                video_seconds=_rounded(state.video_at),
                total_seconds=_rounded(self.now()),
            ),
        )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
