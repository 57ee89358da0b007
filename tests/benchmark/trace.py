"""Starts the real stack, asks for a reply, prints its trace as text: `python -m tests.benchmark.trace`."""

from __future__ import annotations

import tempfile
from pathlib import Path

import httpx

from tests.e2e.stack import Stack
from tests.fakes.otlp_collector import collecting, drawn

ASKED = {"messages": [{"role": "user", "content": "Tell me about the moon."}]}


def main() -> None:
    """One line for each span."""
    with tempfile.TemporaryDirectory(prefix="visavis-") as place, collecting() as collector:
        settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "50"}
        stack = Stack(Path(place), **settings)
        try:
            stack.start_all()
            with httpx.Client(base_url=stack.url, timeout=90) as client:
                for _ in range(2):  # The first one warms up.
                    answer = client.post("/v1/replies", json=ASKED, headers={"Prefer": "wait=80"})
            print(drawn(collector.trace(answer.headers["x-trace-id"], services=4)))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
