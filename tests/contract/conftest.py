"""What tests of the services' contracts start anew for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import Worker, running_worker


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that take no time."""
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def worker(models_dir: Path) -> AsyncIterator[Worker]:
    """A real video worker that serves them."""
    async with running_worker(models_dir, max_utterance_seconds=10) as stub:
        yield stub
