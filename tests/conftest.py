"""What tests of several rooms start once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
import redis

from tests.fakes.stages import FakeStages, fake_stages
from tests.fakes.valkey import valkey_server


@pytest.fixture(scope="session")
def shared_valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One server for all tests of a run."""
    with valkey_server(tmp_path_factory.mktemp("valkey")) as url:
        yield url


@pytest.fixture
def valkey(shared_valkey: str) -> str:
    """The URL of a Valkey that is empty."""
    with redis.Redis.from_url(shared_valkey) as client:
        client.flushall()
    return shared_valkey


@pytest.fixture
async def stages() -> AsyncIterator[FakeStages]:
    """All three stages, fake, each behind a real server."""
    async with fake_stages() as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served_stages() -> AsyncIterator[FakeStages]:
    """The same, started once for all tests of a module, which lets them `forget` in between."""
    async with fake_stages() as served:
        yield served
