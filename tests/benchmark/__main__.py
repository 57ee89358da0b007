"""Starts the real stack, asks for replies as a client does, prints a Markdown report: `make bench`."""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx

from tests.benchmark.cancellation import cancellation_seconds
from tests.benchmark.machine import machine_line
from tests.benchmark.timed_reply import TimedReply, timed_reply
from tests.e2e.stack import Stack
from tests.fakes.ports import free_port

# Another one in every run: the model remembers a question it has read.
THINGS = (
    "moon",
    "sea",
    "rain",
    "bread",
    "winter",
    "piano",
    "desert",
    "forest",
    "train",
    "sun",
    "river",
    "egg",
)
Request = dict[str, object]
CASES: dict[str, Request | Callable[[int], Request]] = {
    "ask: Tell me about the moon (sea, rain …).": lambda run: question(THINGS[run % len(THINGS)]),
    "say: one sentence": {"say": "Hello there, it is good to see you."},
    "say: one paragraph": {
        "say": "The Moon is our only natural satellite. It always shows us the same face, because it turns "
        "once on itself for every turn around the Earth. Its light takes a second to reach us. "
        "People have walked on it, and left footprints that no wind will ever blow away."
    },
    "say: Chinese": {
        "say": "你好，很高兴认识你。月亮是地球唯一的天然卫星，它总是以同一面对着我们。",
        "language": "zh",
    },
}
REPORT = """# A reply from end to end

{machine}

Seconds from the POST, medians of {runs} runs after one that warms up; all four processes and the client share
the machine. *Worst margin* is how long before its turn the tightest fragment arrived, in the worst run: above
zero, a player that starts with the first fragment never stalls. *Frames/s* are video frames made per second
between the first fragment and the last.
"""
COLUMNS = ("first text", "first speech", "first fragment", "done", "video", "worst margin", "frames/s")


def main() -> None:
    """Prints the report to standard output; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="counted runs per case, after one that warms up")
    runs = parser.parse_args().runs
    with tempfile.TemporaryDirectory() as folder:
        metrics_port = free_port()
        stack = Stack(Path(folder), LIPSYNC_METRICS_PORT=str(metrics_port))
        try:
            stack.start_all()
            with httpx.Client(base_url=stack.url, timeout=120) as client:
                rows = [_row(client, name, case, runs) for name, case in CASES.items()]
                metrics_url = f"http://127.0.0.1:{metrics_port}/metrics"
                cancelled = [cancellation_seconds(client, metrics_url) for _ in range(runs)]
        finally:
            stack.stop()
    print(REPORT.format(machine=machine_line(), runs=runs))
    print(f"| case | {' | '.join(COLUMNS)} |\n{'|---' * (len(COLUMNS) + 1)}|")
    print("\n".join(rows))
    print(
        f"\nFrom DELETE to an idle video worker: {statistics.median(cancelled):.3f} s (median), "
        f"{max(cancelled):.3f} s (worst of {runs})."
    )


def question(thing: str) -> Request:
    """A reply that the language model writes."""
    return {"messages": [{"role": "user", "content": f"Tell me about the {thing}."}]}


def _row(client: httpx.Client, name: str, case: Request | Callable[[int], Request], runs: int) -> str:
    print(name, file=sys.stderr)
    requests = [case(run) if callable(case) else case for run in range(runs + 1)]
    _, *timings = [timed_reply(client, request) for request in requests]

    def median(value: str) -> str:
        return f"{statistics.median(getattr(timing, value) for timing in timings):.2f}"

    cells = [
        median(f"{value}_seconds")
        for value in ("first_text", "first_speech", "first_fragment", "done", "video")
    ]
    worst = min(timing.worst_margin_seconds for timing in timings)
    speed = statistics.median(_frames_per_second(timing) for timing in timings)
    return f"| {name} | {' | '.join(cells)} | {worst:.2f} | {speed:.0f} |"


def _frames_per_second(timing: TimedReply) -> float:
    seconds = timing.last_fragment_seconds - timing.first_fragment_seconds
    return timing.later_frames / seconds if seconds > 0 else 0.0


if __name__ == "__main__":
    main()
