"""Nothing goes in, how soon text and speech begin and how soon they stop comes out as a Markdown report.

Run it with `python -m tests.benchmark.streams [--runs N]`; it takes a minute or two.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator, Sequence

from visavis.rpc.telemetry import configure_logs

from tests.benchmark import speech_streams, text_streams
from tests.benchmark.machine import load_line, machine_line
from tests.benchmark.stopwatch import Took, row

REPORT = """# How soon text and speech begin, and how soon they stop

{machine}. {load}

Milliseconds of {runs} runs each, over gRPC on the loopback interface. *CPU* is the computing time of service,
caller and local server together, all in one process: where it is much less than the clock's, other processes
had the cores. The providers' local servers answer at once, so what is measured there is what we add.
"""


def main() -> None:
    """Prints the report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="runs of each row")
    runs = parser.parse_args().runs
    configure_logs("benchmark", level="WARNING", as_json=False)
    print(REPORT.format(machine=machine_line(), load=load_line(), runs=runs), flush=True)
    asyncio.run(_print_tables(runs))
    print(f"\nAt the end: {load_line()}")


async def _print_tables(runs: int) -> None:
    await _print_table("first token of the text", text_streams.first_tokens(runs))
    await _print_table("first chunk of the speech", speech_streams.first_chunks(runs))
    await _print_table("from a cancelled text to rest", text_streams.cancellations(runs))
    await _print_table("from a cancelled speech to rest", speech_streams.cancellations(runs))


async def _print_table(title: str, rows: AsyncIterator[tuple[str, Sequence[Took]]]) -> None:
    print(f"| {title} | median | worst | CPU, median | CPU, worst |\n|---|--:|--:|--:|--:|")
    async for name, runs in rows:
        print(row(name, runs), flush=True)
    print()


if __name__ == "__main__":
    main()
