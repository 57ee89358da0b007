"""`make dashboard`: minutes go in, a real system after them comes out as Grafana's panels show it."""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from tests.benchmark.machine import load_line, machine_line
from tests.deploy.dashboard.drawing import draw
from tests.deploy.dashboard.prometheus import MONITORING, answered, firing, prometheus
from tests.deploy.dashboard.traffic import traffic
from tests.deploy.rendering import DEPLOY
from tests.deploy.scaling.cluster import SCALED_OBJECT, cluster
from tests.deploy.scaling.scaler import Scaler
from tests.fakes.ports import free_port
from tests.fakes.valkey import valkey_server

# The ScaledObject's times are divided by it, so that a few minutes show workers come and go.
HURRY = 5
WORKERS_AT_MOST = 4
# Of video workers, one after the other.
METRICS_PORTS = 40
PICTURE = DEPLOY / "dashboard.jpg"
BUILD = DEPLOY.parent / "build" / "dashboard"


def main() -> None:
    """Writes deploy/dashboard.jpg."""
    parser = argparse.ArgumentParser(prog="python -m tests.deploy.dashboard")
    parser.add_argument("--minutes", type=float, default=10.0)
    minutes = parser.parse_args().minutes
    kept = BUILD / "answers.json"
    kept.write_text(json.dumps(measured(minutes)))
    shown = json.loads(kept.read_text())
    asyncio.run(draw(**shown, folder=BUILD, picture=PICTURE))
    print(f"{PICTURE.relative_to(DEPLOY.parent)}: {machine_line()}. {load_line()}")


def measured(minutes: float) -> dict[str, object]:
    """What Prometheus answers to every panel, and for which time."""
    ports = {name: [free_port()] for name in ("gateway", "text", "tts")}
    workers = [free_port() for _ in range(METRICS_PORTS)]
    scaler = replace(Scaler.of(SCALED_OBJECT, HURRY), most=WORKERS_AT_MOST)
    with tempfile.TemporaryDirectory(prefix="visavis-", dir="/tmp") as place:
        folder = Path(place)
        with (
            valkey_server(folder) as valkey,
            cluster(
                folder,
                valkey,
                scaler,
                metrics_ports=workers,
                GATEWAY_METRICS_PORT=str(ports["gateway"][0]),
                TEXT_METRICS_PORT=str(ports["text"][0]),
                TTS_METRICS_PORT=str(ports["tts"][0]),
            ) as made,
            prometheus(folder, ports | {"lipsync": workers}) as asked,
        ):
            start = time.time()
            asyncio.run(traffic(made.stack.url, minutes * 60))
            end = time.time()
            dashboard = json.loads((MONITORING / "dashboard.json").read_text())
            print("Alerts:", *firing(asked) or ["none"])
            return {"panels": answered(asked, dashboard["panels"], start, end), "start": start, "end": end}


if __name__ == "__main__":
    main()
