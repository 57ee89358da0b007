"""A few replies in a small storm; `make chaos` makes 200 in a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.storm import storm
from tests.chaos.weather import Weather
from tests.fakes.object_server import object_server

SMALL = Weather(
    replies=6,
    gateways=2,
    workers=1,
    gateway_dies_events=50,
    worker_dies_events=50,
    connections_cut_events=20,
)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_clients_notice_nothing_of_gateways_workers_and_connections_that_die(tmp_path: Path) -> None:
    with object_server() as bucket:
        verdict = await storm(SMALL, tmp_path, bucket)
    assert verdict.good, f"\n{verdict}"
    assert verdict.gateways_killed and verdict.workers_killed and verdict.proxy_processes_killed
