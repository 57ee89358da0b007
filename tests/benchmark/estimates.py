"""Starts the real stack, asks for replies, prints how far each told end was from the real one, as Markdown.

`python -m tests.benchmark.estimates`; the last table is of a gateway that was started again.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
from httpx_sse import connect_sse

from tests.benchmark.machine import machine_line
from tests.e2e.stack import Stack

WAITING_FRACTION = 0.985
SENTENCES = (
    "The Moon is our only natural satellite, and it always shows us the same face.",
    "Bread is flour, water, salt and time.",
    "Trains are quieter than they used to be, but they still have the best windows in the world.",
    "It rains, and the whole street smells of dust and leaves.",
    "A piano has eighty-eight keys and more than two hundred strings.",
)
THINGS = ("moon", "sea", "rain", "bread", "winter", "piano", "desert", "forest", "train", "sun")
REPORT = """# Estimates against what happened

{machine}

Seconds between the end that an event told and the real one, of {count} replies a row: conversations that the
model answers, and texts of one to five sentences word for word. *Waiting at 99 %* is the share of a reply's
time that its bar stood still at the end. The first two replies only warm up.

| gateway | at | median | worst | median share of the total |
|---|---|---|---|---|"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One reply: seconds of error by event, its whole time, and the share of it spent at the bar's end."""

    errors: Mapping[str, float]
    total_seconds: float
    waiting_share: float


def main() -> None:
    """Prints the report to standard output; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replies", type=int, default=10, help="counted replies, after two that warm up")
    count = parser.parse_args().replies
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        try:
            stack.start_all()
            with httpx.Client(base_url=stack.url, timeout=120) as client:
                requests = list(_requests(2 * count + 2))
                for request in requests[:2]:
                    judged(client, request)
                warm = [judged(client, request) for request in requests[2 : count + 2]]
                stack.processes["gateway"].terminate()
                stack.processes["gateway"].wait()
                stack.start("gateway")
                stack.wait_until_serving()
                again = [judged(client, request) for request in requests[count + 2 :]]
        finally:
            stack.stop()
    print(REPORT.format(machine=machine_line(), count=count))
    for name, replies in (("warm", warm), ("started again", again)):
        for event_name in ("accepted", "text_ok"):
            print(_row(name, event_name, replies))
    waiting = statistics.median(reply.waiting_share for reply in warm + again)
    print(f"\nWaiting at 99 %: {waiting:.0%} of a reply's time (median).")


def _requests(count: int) -> Iterator[dict[str, object]]:
    for number in range(count):
        if number % 2:
            yield {"say": " ".join(SENTENCES[: 1 + number // 2 % len(SENTENCES)])}
        else:
            thing = THINGS[number // 2 % len(THINGS)]
            yield {"messages": [{"role": "user", "content": f"Tell me about the {thing}."}]}


def judged(client: httpx.Client, request: Mapping[str, object]) -> Judged:
    """Asks for one reply and compares what it told with what happened.

    Raises:
        RuntimeError: the reply ended in an error.
    """
    print(request, file=sys.stderr)
    begun = time.perf_counter()
    answer = client.post("/v1/replies", json=request)
    answer.raise_for_status()
    told = {"accepted": float(answer.json()["eta_seconds"])}
    waits_since: float | None = None
    with connect_sse(client, "GET", answer.json()["events_url"]) as source:
        for event in source.iter_sse():
            if not event.data:
                continue
            now = time.perf_counter() - begun
            data = json.loads(event.data)
            if event.event == "error":
                raise RuntimeError(data["detail"])
            if event.event == "text_ok":
                told["text_ok"] = now + data["eta_seconds"]
            if event.event == "progress" and waits_since is None and data["fraction"] >= WAITING_FRACTION:
                waits_since = now
    total = time.perf_counter() - begun
    return Judged(
        errors={event_name: abs(end - total) for event_name, end in told.items()},
        total_seconds=total,
        waiting_share=0.0 if waits_since is None else (total - waits_since) / total,
    )


def _row(name: str, event_name: str, replies: list[Judged]) -> str:
    errors = [reply.errors[event_name] for reply in replies]
    shares = [reply.errors[event_name] / reply.total_seconds for reply in replies]
    median, share = statistics.median(errors), statistics.median(shares)
    return f"| {name} | `{event_name}` | {median:.2f} | {max(errors):.2f} | {share:.0%} |"


if __name__ == "__main__":
    main()
