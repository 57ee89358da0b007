"""A block that reads an upload goes in; it ends in time, or in a failure."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from visavis.rpc.failures import Failure, FailureType


@asynccontextmanager
async def upload_window(seconds: float) -> AsyncIterator[None]:
    """The block reads an upload; it may last so long.

    Raises:
        Failure: deadline-exceeded.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise Failure(
            FailureType.DEADLINE_EXCEEDED,
            f"The upload did not end within {seconds:g} s. Send it without pauses.",
        ) from None
