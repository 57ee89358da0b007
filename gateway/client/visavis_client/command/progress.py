"""Progress goes in; a bar on a terminal, or a few plain lines elsewhere, come out on stderr."""

from __future__ import annotations

import math
import sys
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn

from visavis_client.events import Done, Event
from visavis_client.events import Progress as ProgressEvent

_DOING = {"text": "Writing the text", "speech": "Speaking", "video": "Moving the face"}
# Plain lines are for logs: one at every tenth.
_PLAIN_STEPS = 10


class ProgressDisplay(Protocol):
    """Shows how far a reply is; entered before the first call, left after the last."""

    def say(self, sentence: str) -> None:
        """Shows what is being done while it is not known for how long."""

    def follow(self, event: Event) -> None:
        """Shows what the event says of the progress."""

    def show(self, doing: str, fraction: float, left: str = "") -> None:
        """Shows what is being done, the share of it that is done, and how long it still takes."""

    def pause(self) -> None:
        """Leaves the terminal to others."""

    def resume(self) -> None:
        """Comes back after `pause`."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


def progress_display() -> ProgressDisplay:
    """The display that suits stderr."""
    console = Console(stderr=True)
    return BarDisplay(console) if console.is_terminal else LineDisplay()


class BarDisplay:
    """One bar that never moves back, with the seconds left."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
            transient=True,
            # What goes to stdout stays there, also where that is a file and stderr a terminal.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=None, left="", visible=False)
        self._fraction = 0.0

    def say(self, sentence: str) -> None:
        """Shows the sentence beside the bar, which moves without an end until the first progress."""
        self._progress.update(self._task, description=sentence, left="", visible=True, refresh=True)

    def follow(self, event: Event) -> None:
        """Moves the bar on `progress` events, and to its end on `done`."""
        if isinstance(event, Done):
            self._progress.update(self._task, total=1.0, completed=1.0, left="")
        if isinstance(event, ProgressEvent):
            self.show(_doing(event), event.fraction, _left(event))

    def show(self, doing: str, fraction: float, left: str = "") -> None:
        """Moves the bar."""
        self._fraction = max(self._fraction, fraction)
        self._progress.update(
            self._task,
            description=doing,
            total=1.0,
            completed=self._fraction,
            left=left,
            visible=True,
            refresh=True,
        )

    def pause(self) -> None:
        """Takes the bar away."""
        self._progress.stop()

    def resume(self) -> None:
        """Shows it again."""
        self._progress.start()

    def __enter__(self) -> Self:
        self.resume()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.pause()


class LineDisplay:
    """A line at every tenth of the way."""

    def __init__(self) -> None:
        self._step = 0

    def say(self, sentence: str) -> None:
        """Prints the sentence."""
        print(sentence, file=sys.stderr, flush=True)

    def follow(self, event: Event) -> None:
        """Prints a line where the next tenth is reached."""
        if isinstance(event, ProgressEvent):
            self.show(_doing(event), event.fraction, _left(event))

    def show(self, doing: str, fraction: float, left: str = "") -> None:
        """Prints a line where the next tenth is reached."""
        step = math.floor(fraction * _PLAIN_STEPS)
        if step > self._step:
            self._step = step
            self.say(f"{doing}: {fraction:.0%}" + (f", {left}" if left else ""))

    def pause(self) -> None:
        """Lines need no terminal of their own."""

    def resume(self) -> None:
        """As `pause`."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def _doing(event: ProgressEvent) -> str:
    if event.queue_position > 0:
        return f"Waiting, {event.queue_position} ahead"
    return _DOING[event.stage]


def _left(event: ProgressEvent) -> str:
    return f"{math.ceil(event.eta_seconds)} s left"
