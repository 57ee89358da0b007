"""Who stops waiting stops the work: cancel, deadline, disconnect; who reads slowly does not fill memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from prometheus_client import REGISTRY
from visavis.rpc.failures import Failure, FailureType, calling
from visavis.v1 import lipsync_pb2, lipsync_pb2_grpc

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import (
    Worker,
    animate_requests,
    animated,
    running_worker,
    serving_worker,
    tone,
)

# Far longer than the test may take: a render that is not interrupted shows as a timeout.
SLOW_SECONDS = 3600
Call = grpc.aio.StreamStreamCall[lipsync_pb2.AnimateRequest, lipsync_pb2.AnimateResponse]


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny models, and an avatar `slow` whose first eight mouths take an hour in one run."""
    models_dir = tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))
    tiny_models.write_tiny_avatar(models_dir / "avatars" / "slow", tiny_models.slow_graph(SLOW_SECONDS))
    return models_dir


@pytest.fixture
async def worker(models_dir: Path) -> AsyncIterator[Worker]:
    async with running_worker(models_dir) as stub:
        yield stub


def metric(name: str) -> float:
    return REGISTRY.get_sample_value(name) or 0.0


async def until(condition: Callable[[], bool], worker: Worker) -> None:
    """Asks the worker something until `condition` holds; the test's own timeout ends the waiting."""
    while not condition():
        await worker.ListNetworks(lipsync_pb2.ListNetworksRequest())


def rendering() -> bool:
    return metric("visavis_lipsync_rendering") == 1


def idle() -> bool:
    return metric("visavis_lipsync_rendering") == 0


async def slow_call(worker: Worker, **options: Any) -> Call:
    """A call whose render is under way."""
    call = worker.Animate(animate_requests(tone(64), avatar_id="slow"), **options)
    response = await call.read()
    assert isinstance(response, lipsync_pb2.AnimateResponse)
    assert response.WhichOneof("event") == "started"
    await until(rendering, worker)
    return call


async def test_cancelling_a_call_stops_its_compute(worker: Worker) -> None:
    with structlog.testing.capture_logs() as logs:
        call = await slow_call(worker)
        call.cancel()
        await until(idle, worker)

    (ended,) = [line for line in logs if line["event"] == "render ended"]
    assert (ended["outcome"], ended["frames_done"], ended["frames_total"]) == ("cancelled", 0, 64)


async def test_a_deadline_stops_the_compute(worker: Worker) -> None:
    with structlog.testing.capture_logs() as logs:
        call = await slow_call(worker, timeout=1.0)
        with pytest.raises(Failure) as caught, calling("video"):
            await call.read()
        await until(idle, worker)

    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert [line["outcome"] for line in logs if line["event"] == "render ended"] == ["cancelled"]


async def test_a_client_that_is_gone_and_a_worker_that_ends_stop_the_compute(models_dir: Path) -> None:
    with structlog.testing.capture_logs() as logs:
        async with running_worker(models_dir) as leaving:
            await slow_call(leaving)
        assert idle()

    assert [line["outcome"] for line in logs if line["event"] == "render ended"] == ["cancelled"]
    assert not [line for line in logs if line["event"] == "call crashed"]


async def test_a_cancelled_render_makes_no_further_frames(worker: Worker) -> None:
    call = worker.Animate(animate_requests(tone(1496)))
    await call.read()
    await call.read()
    call.cancel()
    await until(idle, worker)
    made = metric("visavis_lipsync_frames_total")
    await animated(worker, tone(8))

    assert metric("visavis_lipsync_frames_total") == made + 8


async def test_an_upload_that_is_cut_off_leaves_nothing_behind(worker: Worker) -> None:
    call = worker.Animate()
    await call.write(next(animate_requests(tone(64))))
    call.cancel()

    assert len((await animated(worker, tone(64))).fragments) == 4


async def test_a_worker_whose_slots_are_taken_says_when_to_come_back(worker: Worker) -> None:
    call = await slow_call(worker)
    with pytest.raises(Failure) as caught, calling("video"):
        await animated(worker, tone(8))
    call.cancel()
    await until(idle, worker)

    assert caught.value.type is FailureType.BUSY
    assert caught.value.retry_after_seconds is not None
    assert 0.1 <= caught.value.retry_after_seconds <= 5
    assert len((await animated(worker, tone(8))).fragments) == 1


async def test_as_many_renders_run_at_once_as_there_are_slots(models_dir: Path) -> None:
    async with running_worker(models_dir, slots=2) as worker:
        first = await slow_call(worker)
        second = await animated(worker, tone(8))
        first.cancel()
        await until(idle, worker)
    assert len(second.fragments) == 1


async def test_two_renders_at_once_give_the_bytes_of_each_alone(models_dir: Path) -> None:
    async with running_worker(models_dir, slots=2) as worker:
        alone = [await animated(worker, tone(64, hz=hz)) for hz in (200, 300)]
        together = await asyncio.gather(*(animated(worker, tone(64, hz=hz)) for hz in (200, 300)))
    assert [animation.media for animation in alone] == [animation.media for animation in together]


async def test_a_reader_that_stops_reading_stops_the_rendering(models_dir: Path) -> None:
    made = metric("visavis_lipsync_frames_total")
    # Without the probe the client's receive window stays at 64 KiB, a few seconds of video.
    options = (("grpc.http2.bdp_probe", 0),)
    async with (
        serving_worker(models_dir) as address,
        grpc.aio.insecure_channel(address, options=options) as channel,
    ):
        worker = lipsync_pb2_grpc.LipsyncServiceStub(channel)
        call = worker.Animate(animate_requests(tone(60 * 25 - 4)))
        await call.read()
        await call.read()
        # Frames are made until the window is full, then none for as long as nobody reads.
        seen = -1.0
        while metric("visavis_lipsync_frames_total") != seen:
            seen = metric("visavis_lipsync_frames_total")
            for _ in range(200):
                await worker.ListNetworks(lipsync_pb2.ListNetworksRequest())
        assert rendering()
        assert 0 < seen - made < 30 * 25
        call.cancel()
        await until(idle, worker)
