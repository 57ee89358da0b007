"""An upload that stops coming is given up in a sentence."""

from __future__ import annotations

import asyncio

import pytest
from visavis.rpc.failures import Failure, FailureType

from services.lipsync.uploads import upload_window


async def test_an_upload_that_stalls_is_given_up() -> None:
    with pytest.raises(Failure) as caught:
        async with upload_window(0.01):
            await asyncio.Event().wait()
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert "0.01 s" in caught.value.detail
