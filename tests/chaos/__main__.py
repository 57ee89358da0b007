"""`make chaos`: 200 replies in a storm, and what clients noticed of it: nothing, or the exit status is 1."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import tempfile
from pathlib import Path

import pytest
from visavis.rpc.telemetry import configure_logs

from tests.chaos.storm import storm
from tests.chaos.weather import Weather
from tests.fakes.object_server import object_server


def main() -> None:
    """Prints the verdict."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--replies", type=int, default=Weather().replies)
    parser.add_argument("--log", type=Path, help="where what the processes say is kept")
    parser.add_argument("--seed", type=int, default=Weather().seed)
    asked = parser.parse_args()
    configure_logs("chaos", level="warning", as_json=False)
    with tempfile.TemporaryDirectory(prefix="chaos-") as folder, object_server() as bucket:
        try:
            verdict = asyncio.run(storm(Weather(asked.replies, seed=asked.seed), Path(folder), bucket))
        except pytest.skip.Exception as missing:
            raise SystemExit(str(missing)) from None
        finally:
            if asked.log is not None:
                shutil.copy(Path(folder) / "processes.log", asked.log)
    print(verdict)
    raise SystemExit(0 if verdict.good else 1)


if __name__ == "__main__":
    main()
