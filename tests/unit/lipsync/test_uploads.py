from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.lipsync.uploads import heard_out, upload_window

REFUSAL = Failure(FailureType.BUSY, "no room")


class Sending:
    """A client with so many parts to send; it notes which of them were taken."""

    def __init__(self, parts: int) -> None:
        self.parts = parts
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[int]:
        for number in range(self.parts):
            self.taken += 1
            yield number


async def test_a_refusal_waits_until_the_client_has_sent_everything() -> None:
    client = Sending(5)
    with pytest.raises(Failure, match="no room"):
        async with heard_out(aiter(client)) as parts:
            await anext(parts)
            raise REFUSAL
    assert client.taken == 5


async def test_what_is_not_refused_is_read_no_further_than_it_was() -> None:
    client = Sending(5)
    async with heard_out(aiter(client)) as parts:
        assert [await anext(parts), await anext(parts)] == [0, 1]
    assert client.taken == 2


async def test_a_client_without_end_is_refused_all_the_same() -> None:
    client = Sending(1_000_000)
    with pytest.raises(Failure, match="no room"):
        async with heard_out(aiter(client)):
            raise REFUSAL
    assert client.taken < 2000


async def test_an_upload_that_stalls_is_given_up() -> None:
    with pytest.raises(Failure) as caught:
        async with upload_window(0.01):
            await asyncio.Event().wait()
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert "0.01 s" in caught.value.detail
