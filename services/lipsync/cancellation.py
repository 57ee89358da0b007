"""The event loop's wish to stop goes in, an exception in the compute thread comes out."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Cancelled(Exception):
    """The render was cancelled; nobody waits for its result."""


class Cancellation:
    """One render's stop signal. `cancel` may be called from any thread, any number of times."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancelled = False
        self._interrupt: Callable[[], None] | None = None

    def cancel(self) -> None:
        """Stops the compute thread at its next check, and interrupts the long call it may be in."""
        with self._lock:
            self._cancelled = True
            if self._interrupt is not None:
                self._interrupt()

    def check(self) -> None:
        """Called by the compute thread between steps.

        Raises:
            Cancelled: `cancel` was called.
        """
        if self._cancelled:
            raise Cancelled

    @contextmanager
    def interrupting(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """Inside the block, `cancel` also calls `interrupt`, from its own thread."""
        with self._lock:
            self.check()
            self._interrupt = interrupt
        try:
            yield
        finally:
            with self._lock:
                self._interrupt = None
