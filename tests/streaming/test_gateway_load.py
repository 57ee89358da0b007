"""The load run, small: every reader hears every event once and in order, to the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark.load.__main__ import Load, loaded, report


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_every_reader_of_every_reply_hears_all_of_it(tmp_path: Path) -> None:
    load = Load(readers=60, replies=6, seconds=3, pause_seconds=0.1)
    heard, cost = await loaded(load, tmp_path)
    assert (heard.gaps, heard.ended) == (0, load.readers)
    assert heard.deltas == load.readers * load.deltas
    assert "60 of 60" in report(load, heard, cost)
