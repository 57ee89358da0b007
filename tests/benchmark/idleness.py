"""This process's threads go in (Linux), the time until none but the event loop's computes comes out."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

from tests.benchmark.stopwatch import Stopwatch, Took

_TASKS = Path("/proc/self/task")
# A thread that rests between two steps looks idle for a moment.
_LOOKS = 5
_BETWEEN_LOOKS_SECONDS = 0.002


async def until_idle(watch: Stopwatch) -> Took:
    """What the watch said when the threads came to rest."""
    while True:
        took = watch.took()
        for _ in range(_LOOKS):
            if any_thread_computes():
                break
            await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)
        else:
            return took
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)


async def until_busy() -> None:
    """Returns once a thread computes."""
    while not any_thread_computes():  # noqa: ASYNC110
        await asyncio.sleep(_BETWEEN_LOOKS_SECONDS)


def any_thread_computes() -> bool:
    """Whether a thread beside the calling one runs, or would if a core were free."""
    own = threading.get_native_id()
    return any(_is_running(task) for task in _TASKS.iterdir() if task.name != str(own))


def _is_running(task: Path) -> bool:
    try:
        # proc(5): the state follows the name, which ends at the last bracket.
        return (task / "stat").read_text().rpartition(")")[2].split()[0] == "R"
    except OSError:
        return False
