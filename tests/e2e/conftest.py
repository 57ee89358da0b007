"""The four real processes, started once for all end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.stack import Stack

# How long a stage may be away before a reply fails; the default would be waited for in full.
PATIENCE_SECONDS = 3


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"), GATEWAY_PATIENCE_SECONDS=str(PATIENCE_SECONDS))
    try:
        stack.start_all()
        yield stack
    finally:
        stack.stop()
