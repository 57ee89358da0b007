"""A few replies in a small storm; `make chaos` makes 200 in a large one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.storm import Weather, storm


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_clients_notice_nothing_of_gateways_workers_and_connections_that_die(tmp_path: Path) -> None:
    verdict = await storm(Weather(replies=10, gateways=2, worker_dies_seconds=1), tmp_path)
    assert verdict.good, f"\n{verdict}"
