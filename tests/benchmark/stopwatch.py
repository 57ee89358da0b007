"""Work that was begun goes in, the wall and CPU time it took come out, and whole rows of a table of them."""

from __future__ import annotations

import statistics
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds by the clock, and seconds in which this process computed, on whatever thread."""

    wall_seconds: float
    cpu_seconds: float


class Stopwatch:
    """Runs from its making on."""

    def __init__(self) -> None:
        self._wall = time.perf_counter()
        self._cpu = time.process_time()

    def took(self) -> Took:
        """Until now."""
        return Took(time.perf_counter() - self._wall, time.process_time() - self._cpu)


async def until_first(items: AsyncIterator[Item], wanted: Callable[[Item], bool]) -> Took:
    """Until the first wanted item; the others are read to the end, so that the next one is asked at rest.

    Raises:
        RuntimeError: there was none.
    """
    watch = Stopwatch()
    took: Took | None = None
    async for item in items:
        if took is None and wanted(item):
            took = watch.took()
    if took is None:
        raise RuntimeError("the stream ended without what was waited for")
    return took


def row(name: str, runs: Sequence[Took]) -> str:
    """A line of a Markdown table, in milliseconds: median and worst by the clock, the same of CPU time."""
    cells = [name]
    for seconds in ([took.wall_seconds for took in runs], [took.cpu_seconds for took in runs]):
        cells += [f"{statistics.median(seconds) * 1000:.0f}", f"{max(seconds) * 1000:.0f}"]
    return f"| {' | '.join(cells)} |"
