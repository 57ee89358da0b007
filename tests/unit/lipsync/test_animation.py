"""Speech in, fragments out, made only as they are fetched; one stream at a time, its slot always freed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from pathlib import Path

import pytest
from prometheus_client import REGISTRY
from visavis.rpc.failures import Failure, FailureType

from services.lipsync.animation import Animator, Finished, Started
from services.lipsync.gallery import Gallery
from services.lipsync.networks import load_networks
from services.lipsync.rendering import RenderedFragment
from services.lipsync.sessions import execution_providers
from services.lipsync.slots import Slots
from services.lipsync.utterance import Utterance
from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import RATE_HZ, tone

CPU = execution_providers(["cpu"])
SPEECH = tone(64)
UTTERANCE = Utterance("", "", "", RATE_HZ, len(SPEECH) // 2, start_frame=0, resume_frame=0)


@pytest.fixture
def models_dir(tmp_path: Path) -> Path:
    return tiny_models.write_tiny_models(tmp_path)


@pytest.fixture
def gallery(models_dir: Path) -> Iterator[Gallery]:
    made = Gallery(
        models_dir, "dot", CPU, loaded_max=1, loop_bytes=0, upload_seconds=5, max_bundle_bytes=1 << 20
    )
    yield made
    made.close()


@pytest.fixture
async def animator(models_dir: Path, gallery: Gallery) -> AsyncIterator[Animator]:
    networks = load_networks([models_dir / "networks"], CPU)
    made = Animator(gallery, networks, "tiny", 1, max_seconds=10, upload_seconds=0.05)
    yield made
    await made.close()


async def chunks() -> AsyncIterator[bytes]:
    yield SPEECH


def frames_made() -> float:
    return REGISTRY.get_sample_value("visavis_lipsync_frames_total") or 0.0


async def test_frames_are_made_only_when_a_fragment_is_asked_for(animator: Animator) -> None:
    before = frames_made()
    async with aclosing(animator.animate(UTTERANCE, chunks())) as events:
        assert isinstance(await anext(events), Started)
        assert frames_made() - before == 0
        for done in (8, 24, 48, 64):
            fragment = await anext(events)
            assert isinstance(fragment, RenderedFragment)
            assert frames_made() - before == fragment.frames_done == done
        assert isinstance(await anext(events), Finished)


async def test_a_stream_closed_early_frees_its_slot(animator: Animator) -> None:
    async with aclosing(animator.animate(UTTERANCE, chunks())) as events:
        await anext(events)
        await anext(events)
        assert REGISTRY.get_sample_value("visavis_lipsync_rendering") == 1
    assert REGISTRY.get_sample_value("visavis_lipsync_rendering") == 0

    assert len([event async for event in animator.animate(UTTERANCE, chunks())]) == 6


async def test_a_second_stream_is_refused_before_its_speech_is_read(animator: Animator) -> None:
    async def unread() -> AsyncIterator[bytes]:
        pytest.fail("the speech was read")
        yield b""

    async with aclosing(animator.animate(UTTERANCE, chunks())) as events:
        await anext(events)
        with pytest.raises(Failure) as caught:
            await anext(animator.animate(UTTERANCE, unread()))
    assert caught.value.type is FailureType.BUSY


async def test_a_client_that_stops_sending_loses_its_slot(animator: Animator) -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield SPEECH[:1000]
        await asyncio.Event().wait()

    with pytest.raises(Failure) as caught:
        await anext(animator.animate(UTTERANCE, stalled()))
    assert caught.value.type is FailureType.DEADLINE_EXCEEDED
    assert REGISTRY.get_sample_value("visavis_lipsync_rendering") == 0


async def test_one_avatar_is_received_at_a_time(gallery: Gallery) -> None:
    files = tiny_models.avatar_files("guest")
    bundle, avatar_hash = tiny_models.zipped(files), tiny_models.bundle_hash(files)
    receiving, sent = asyncio.Event(), asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        receiving.set()
        await sent.wait()
        yield bundle

    first = asyncio.create_task(gallery.put(slowly(), avatar_hash, len(bundle)))
    await receiving.wait()
    with pytest.raises(Failure) as caught:
        await gallery.put(slowly(), avatar_hash, len(bundle))
    sent.set()

    assert caught.value.type is FailureType.BUSY
    assert (await first).hash == avatar_hash


def test_a_refused_caller_is_told_when_the_first_slot_will_be_free() -> None:
    slots = Slots(2)
    with slots.taken(4.0), slots.taken(2.5), pytest.raises(Failure) as caught, slots.taken(1.0):
        pytest.fail("a third slot was given away")
    assert caught.value.retry_after_seconds == 2.5


def test_a_slot_is_free_again_after_a_crash() -> None:
    slots = Slots(1)
    with pytest.raises(ZeroDivisionError), slots.taken(1.0):
        raise ZeroDivisionError
    with slots.taken(1.0) as slot:
        assert slot.seconds_left == 1.0
