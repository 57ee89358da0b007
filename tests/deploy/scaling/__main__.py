"""Starts clusters of real processes, prints how the video stage scaled: `make scaling`."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

from tests.benchmark.machine import machine_line
from tests.deploy.scaling.asking import Seen, asked
from tests.deploy.scaling.cluster import SCALED_OBJECT, cluster
from tests.deploy.scaling.scaler import Scaler
from tests.deploy.scaling.slow_worker import REST
from tests.fakes.valkey import valkey_server

SENTENCE = "The moon is our only natural satellite, and it always shows us the same face."
HURRY = 20
SECONDS_PER_FRAME = 0.04
REPORT = """# How the video stage scales

{machine}

## From zero and back

{count} replies at once, against our own ScaledObject with all its times divided by {hurry} and at most {most}
workers: real processes behind a real name whose addresses are the ready workers.

| | seconds |
| --- | --- |
| from the first ticket to a ready worker | {ready:.1f} |
| from the first ticket to the first fragment | {fragment:.1f} |
| from the last `done` to no worker | {asleep:.1f} |

Most workers ready at once: {peak}. Replies with exactly one terminal event: {whole} of {count}.

## One long reply on several workers

Ten sentences, rendered {seconds_per_frame} s per frame slower than this machine could: its few cores are then
not what the workers wait for.

| workers | from the first fragment to the last, s | times as fast |
| --- | --- | --- |
{rows}
"""


def main() -> None:
    """Prints the report."""
    with tempfile.TemporaryDirectory(prefix="visavis-", dir="/tmp") as place:
        folder = Path(place)
        with valkey_server(folder) as valkey:
            print(
                REPORT.format(
                    machine=machine_line(), hurry=HURRY, **woken(folder, valkey), **spread(folder, valkey)
                )
            )


def woken(folder: Path, valkey: str) -> dict[str, object]:
    """From zero to several workers and back."""
    scaler = replace(Scaler.of(SCALED_OBJECT, HURRY), most=4)
    with cluster(folder, valkey, scaler, GATEWAY_RENDERS_AT_ONCE="3") as made:
        made.wait_for_workers(0)
        replies = asked(made.stack.url, [" ".join([SENTENCE] * 3)] * 4)
        ended = max(seen.times[-1] for seen in replies)
        made.wait_for_workers(0)
    first_ticket = next(sighting.at for sighting in made.seen if sighting.tickets)
    return {
        "count": len(replies),
        "most": scaler.most,
        "ready": next(sighting.at for sighting in made.seen if sighting.ready) - first_ticket,
        "fragment": min(seen.first("fragment") for seen in replies) - first_ticket,
        "asleep": made.seen[-1].at - ended,
        "peak": max(sighting.ready for sighting in made.seen),
        "whole": sum(terminal_events(seen) == ["done"] for seen in replies),
    }


def spread(folder: Path, valkey: str) -> dict[str, object]:
    """The same long reply with one, two and four workers."""
    seconds = {workers: _rendering_seconds(folder, valkey, workers) for workers in (1, 2, 4)}
    rows = [f"| {workers} | {took:.1f} | {seconds[1] / took:.2f} |" for workers, took in seconds.items()]
    return {"seconds_per_frame": SECONDS_PER_FRAME, "rows": "\n".join(rows)}


def terminal_events(seen: Seen) -> list[str]:
    """Should be one."""
    return [event.type for event in seen.events if event.type in ("done", "error")]


def _rendering_seconds(folder: Path, valkey: str, workers: int) -> float:
    with cluster(
        folder,
        valkey,
        Scaler.of(SCALED_OBJECT),
        module="tests.deploy.scaling.slow_worker",
        fixed=workers,
        worker_settings={REST: str(SECONDS_PER_FRAME)},
        GATEWAY_RENDERS_AT_ONCE=str(workers),
    ) as made:
        made.wait_for_workers(workers)
        seen = asked(made.stack.url, [" ".join([SENTENCE] * 10)])[0]
    return seen.first("video_ok") - seen.first("fragment")


if __name__ == "__main__":
    main()
