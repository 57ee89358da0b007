"""What tests of the services' contracts start: once for a module, or anew for each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import Worker, running_worker
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that take no time."""
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def worker(models_dir: Path) -> AsyncIterator[Worker]:
    """A real video worker that serves them."""
    async with running_worker(models_dir, max_utterance_seconds=10) as stub:
        yield stub


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    served_stages: FakeStages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServedGateway]:
    """A gateway for all tests of a module; one that wants other settings has its own."""
    async with served_gateway(served_stages, tmp_path_factory.mktemp("gateway")) as gateway:
        yield gateway


@pytest.fixture
def gateway(served: ServedGateway, stages: FakeStages) -> ServedGateway:
    """That gateway, before stages which have forgotten what other tests wanted of them."""
    return served
