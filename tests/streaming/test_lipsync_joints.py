"""Utterances that were rendered apart from each other play as one recording: no gap, no click, no drift."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.fakes import tiny_models
from tests.fakes.lipsync_worker import RATE_HZ, Worker, animated, running_worker, tone
from tests.fakes.played import packets_of, pictures_of, sound_of

SOUND_HZ = 48_000
SAMPLES_PER_FRAME = SOUND_HZ // 25


@pytest.fixture(scope="module")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))


@pytest.fixture
async def workers(models_dir: Path) -> AsyncIterator[Sequence[Worker]]:
    async with running_worker(models_dir) as one, running_worker(models_dir) as other:
        yield one, other


async def recording(workers: Sequence[Worker], speeches: Sequence[bytes]) -> bytes:
    """One init segment and the fragments of every speech, last speech rendered first."""
    starts = np.cumsum([0, *(len(speech) // 2 // (RATE_HZ // 25) for speech in speeches)])
    rendered: dict[int, bytes] = {}
    init = b""
    for number in reversed(range(len(speeches))):
        worker = workers[number % len(workers)]
        animation = await animated(worker, speeches[number], start_frame=int(starts[number]))
        rendered[number] = animation.media
        init = animation.started.init_segment
    return init + b"".join(rendered[number] for number in sorted(rendered))


def played(speeches: Sequence[bytes]) -> NDArray[np.float32]:
    """What should be heard: the speeches at 48 kHz, by linear interpolation."""
    wave = np.frombuffer(b"".join(speeches), "<i2").astype(np.float32) / 32768
    return np.interp(np.arange(len(wave) * 2) / 2, np.arange(len(wave)), wave).astype(np.float32)


def sweep(frames: int) -> bytes:
    """A tone that rises from 100 to 1500 Hz, silent at both ends: it is like itself at one place only."""
    seconds = np.arange(frames * RATE_HZ // 25) / RATE_HZ
    wave = 0.5 * np.sin(2 * np.pi * (100 + 700 * seconds / seconds[-1]) * seconds)
    wave[: RATE_HZ // 10] = wave[-RATE_HZ // 10 :] = 0
    return bytes((wave * 32767).astype("<i2").tobytes())


def loudness(wave: NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(np.square(wave))))


async def test_three_utterances_demux_as_one_stream_without_a_gap(workers: Sequence[Worker]) -> None:
    speeches = [tone(24), tone(8, hz=300), tone(64, hz=150)]
    media = await recording(workers, speeches)

    packets = packets_of(media)
    pictures, sounds = packets["video"], packets["audio"]
    assert [packet.start * 25 for packet in pictures] == list(range(96))
    assert [packet.start * SOUND_HZ for packet in sounds] == [n * 1024 for n in range(96 * 15 // 8)]
    assert sum(packet.duration for packet in sounds) == Fraction(96, 25)
    assert sum(packet.duration for packet in pictures) == Fraction(96, 25)
    keys = [number for number, packet in enumerate(pictures) if packet.is_key]
    assert keys == [0, 8, 24, 32, 40, 56, 80]


async def test_every_picture_decodes_and_sound_lasts_as_long(workers: Sequence[Worker]) -> None:
    media = await recording(workers, [tone(16), tone(40)])

    assert len(pictures_of(media)) == 56
    assert len(sound_of(media)) == 56 * SAMPLES_PER_FRAME


async def test_silence_on_both_sides_of_a_joint_stays_silent(workers: Sequence[Worker]) -> None:
    speeches = [tone(24, hz=200), tone(24, hz=431), tone(24, hz=997)]
    heard = sound_of(await recording(workers, speeches))

    spoken = loudness(heard)
    for joint in (24 * SAMPLES_PER_FRAME, 48 * SAMPLES_PER_FRAME):
        around = heard[joint - 2048 : joint + 2048]
        assert 20 * np.log10(loudness(around) / spoken + 1e-12) < -60


async def test_a_tone_goes_on_over_fragments_as_it_was_spoken(workers: Sequence[Worker]) -> None:
    speeches = [tone(80, hz=200), tone(80, hz=431)]
    heard = sound_of(await recording(workers, speeches))

    wanted = played(speeches)
    assert len(heard) == len(wanted)
    # A gap, a click or a shift by one sample of the higher tone would be an error above -25 dB somewhere.
    for place in range(0, len(wanted), 1024):
        error = heard[place : place + 1024] - wanted[place : place + 1024]
        edges = np.abs(np.diff(wanted[max(place - 2048, 0) : place + 3072])).max() > 0.1
        assert edges or 20 * np.log10(loudness(error) / loudness(wanted) + 1e-12) < -25


async def test_the_head_moves_on_where_the_utterance_before_left_it(workers: Sequence[Worker]) -> None:
    media = await recording(workers, [tone(8), tone(24), tone(8)])

    tops = [picture.to_ndarray()[:16] for picture in pictures_of(media)]
    bars = [int(top.mean(axis=0).reshape(-1, 8).mean(axis=1).argmax()) for top in tops]
    assert bars == [number % tiny_models.LOOP_FRAMES for number in range(40)]


@pytest.mark.slow
async def test_after_two_minutes_sound_and_picture_are_still_together(workers: Sequence[Worker]) -> None:
    lengths = [24, 40, 64, 136, 8, 88] * 9
    speeches = [sweep(frames) for frames in lengths]
    frames = sum(lengths)
    assert frames > 120 * 25
    media = await recording(workers, speeches)

    shown = packets_of(media)["video"]
    heard, wanted = sound_of(media), played(speeches)
    assert [packet.start * 25 for packet in shown] == list(range(frames))
    assert len(heard) == frames * SAMPLES_PER_FRAME
    # The last utterance begins where it should: the best match is not shifted by a single sample.
    begin = len(wanted) - lengths[-1] * SAMPLES_PER_FRAME
    piece = wanted[begin:-SAMPLES_PER_FRAME]
    shifts = range(-SAMPLES_PER_FRAME, SAMPLES_PER_FRAME + 1)
    match = [float(piece @ heard[begin + shift : begin + shift + len(piece)]) for shift in shifts]
    assert shifts[int(np.argmax(match))] == 0
