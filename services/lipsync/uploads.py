"""A client's messages go in, the same messages come out, in time, and read to their end before a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from visavis.rpc.failures import Failure, FailureType

Part = TypeVar("Part")

# What is read in vain: a client that sends more, or pauses longer, is cut off.
_MOST_PARTS = 1024
_LONGEST_SECONDS = 1.0


@asynccontextmanager
async def heard_out(parts: AsyncIterator[Part]) -> AsyncIterator[AsyncIterator[Part]]:
    """Yields `parts`. A failure raised inside leaves once the client has sent all it had to send.

    A status that overtakes a client's message may never be seen: grpc's asyncio client then reports
    "Internal error from Core" in its place (grpcio 1.85, about one call in a hundred on a busy machine).
    """
    parts = aiter(parts)
    try:
        yield parts
    except Failure:
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                for _ in range(_MOST_PARTS):
                    if await anext(parts, None) is None:
                        break
        except TimeoutError:
            pass
        raise


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
