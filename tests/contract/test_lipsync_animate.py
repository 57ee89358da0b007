"""What Animate promises, on a real channel: the order of events, the media, the same bytes again."""

from __future__ import annotations

import io

import av
import pytest

from tests.fakes.lipsync_worker import (
    RATE_HZ,
    Worker,
    animated,
    tone,
)
from tests.fakes.played import sound_of


async def test_an_utterance_is_answered_by_started_fragments_and_finished(worker: Worker) -> None:
    animation = await animated(worker, tone(64), start_frame=80)

    assert animation.order == ["started", "fragment", "fragment", "fragment", "fragment", "finished"]
    assert animation.started.frames_total == animation.finished.frames_total == 64
    assert animation.started.fps == 25
    assert animation.finished.render_seconds > 0
    spans = [(f.start_frame, f.frame_count, f.frames_done) for f in animation.fragments]
    assert spans == [(80, 8, 8), (88, 16, 24), (104, 24, 48), (128, 16, 64)]


async def test_the_media_type_names_the_codecs_that_are_inside(worker: Worker) -> None:
    animation = await animated(worker, tone(8))

    with av.open(io.BytesIO(animation.started.init_segment + animation.media), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        profile, level = video.codec_context.profile, video.codec_context.level
        assert (profile, audio.codec_context.profile) == ("Constrained Baseline", "LC")
        assert animation.started.mime == f'video/mp4; codecs="avc1.42c0{level:02x},mp4a.40.2"'


async def test_the_init_segment_is_the_same_for_every_utterance(worker: Worker) -> None:
    first = await animated(worker, tone(8))
    second = await animated(worker, tone(16, hz=700), start_frame=8)

    assert first.started.init_segment == second.started.init_segment


async def test_the_same_input_gives_the_same_bytes(worker: Worker) -> None:
    first = await animated(worker, tone(48), start_frame=16)
    second = await animated(worker, tone(48), start_frame=16)

    assert first.media == second.media


@pytest.mark.parametrize("resume_frame", [8, 24, 48, 64])
async def test_a_resumed_render_sends_the_bytes_the_first_one_would_have_sent(
    worker: Worker, resume_frame: int
) -> None:
    whole = await animated(worker, tone(64), start_frame=160)
    resumed = await animated(worker, tone(64), start_frame=160, resume_frame=resume_frame)

    missing = [f for f in whole.fragments if f.start_frame >= 160 + resume_frame]
    assert resumed.fragments == missing
    assert resumed.started.frames_total == 64


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 44_100, 48_000])
async def test_speech_of_any_common_rate_lasts_as_long_as_its_frames(worker: Worker, rate_hz: int) -> None:
    pcm = bytes(rate_hz // 25 * 16 * 2)
    animation = await animated(worker, pcm, sample_rate_hz=rate_hz)

    assert animation.started.frames_total == 16
    assert len(sound_of(animation.started.init_segment + animation.media)) == 16 * 1920


def test_the_fake_speech_is_what_the_contract_asks_for() -> None:
    assert len(tone(8)) == RATE_HZ * 8 // 25 * 2
