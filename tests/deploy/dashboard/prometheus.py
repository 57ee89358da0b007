"""Ports go in; a real Prometheus comes out that scrapes them and knows our alerts, and its answers."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.deploy.rendering import DEPLOY
from tests.fakes.ports import free_port

MONITORING = DEPLOY / "components" / "monitoring"
SCRAPE_SECONDS = 15
START_SECONDS = 60


@contextmanager
def prometheus(folder: Path, ports: Mapping[str, Sequence[int]]) -> Iterator[str]:
    """Its address, until the block ends. `ports` has those of each service; what does not answer is down.

    Raises:
        TimeoutError: it did not start within START_SECONDS.
    """
    alerts = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["spec"]
    (folder / "alerts.yml").write_text(yaml.safe_dump(alerts))
    monitor, *_ = yaml.safe_load_all((MONITORING / "scrape.yaml").read_text())
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["interval"] == f"{SCRAPE_SECONDS}s"
    pods = [
        {"targets": [f"127.0.0.1:{port}"], "labels": {"pod": f"{service}-{number}"}}
        for service, its_ports in ports.items()
        for number, port in enumerate(its_ports)
    ]
    settings = {
        "global": {"scrape_interval": endpoint["interval"], "evaluation_interval": endpoint["interval"]},
        "rule_files": ["alerts.yml"],
        "scrape_configs": [{"job_name": "visavis", "static_configs": pods}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
    address = f"127.0.0.1:{free_port()}"
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("prometheus", f"--config.file={folder / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={folder / 'metrics'}", f"--web.listen-address={address}"),
            ],
            stdout=log,
            stderr=log,
        )
    try:
        _wait_until_ready(f"http://{address}", folder / "prometheus.log")
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait()


def answered(url: str, panels: Sequence[dict[str, Any]], start: float, end: float) -> list[dict[str, Any]]:
    """The panels, each target with Prometheus' `result`, asked as Grafana asks (Unix seconds)."""
    intervals = {"$__rate_interval": f"{4 * SCRAPE_SECONDS}s", "$__range": f"{round(end - start)}s"}
    with httpx.Client(base_url=url) as client:
        return [
            panel
            | {
                "targets": [
                    target | {"result": _result(client, target, intervals, start, end)}
                    for target in panel["targets"]
                ]
            }
            for panel in panels
        ]


def firing(url: str) -> list[str]:
    """The names of the alerts that fire or are about to."""
    alerts = httpx.get(f"{url}/api/v1/alerts").raise_for_status().json()["data"]["alerts"]
    return sorted({alert["labels"]["alertname"] for alert in alerts})


def _result(
    client: httpx.Client, target: Mapping[str, Any], intervals: Mapping[str, str], start: float, end: float
) -> list[dict[str, Any]]:
    expression = target["expr"]
    for name, value in intervals.items():
        expression = expression.replace(name, value)
    if target.get("instant"):
        answer = client.get("/api/v1/query", params={"query": expression, "time": end})
        series: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
        return [{"metric": each["metric"], "values": [each["value"]]} for each in series]
    asked = {"query": expression, "start": start, "end": end, "step": SCRAPE_SECONDS}
    answer = client.get("/api/v1/query_range", params=asked)
    result: list[dict[str, Any]] = answer.raise_for_status().json()["data"]["result"]
    return result


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/-/ready").is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(log.read_text())
