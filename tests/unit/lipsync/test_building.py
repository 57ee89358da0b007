"""The time that a build may take is the build's alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from visavis.rpc.failures import Failure

from services.lipsync.portrait.building import BuildStarted, BuildStep, PortraitBuilder
from services.lipsync.portrait.face_models import face_models


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_the_time_of_a_build_ends_no_work_of_whoever_reads_its_steps() -> None:
    face_models()
    builder = PortraitBuilder(upload_seconds=5, build_seconds=0.2)
    built = builder.build(chunks(b"no image"), "Ada", "image/png", 8)
    async with aclosing(built) as events:
        assert [type(await anext(events)) for _ in range(2)] == [BuildStarted, BuildStep]
        # Longer than the build may take.
        await asyncio.sleep(0.3)
        with pytest.raises(Failure, match="not a JPEG, PNG or WebP"):
            await anext(events)
    builder.close()
