"""Speech, a network and an avatar go in, finished fragments come out: the work of one compute thread."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from itertools import islice

import av

from services.lipsync import mel, sound
from services.lipsync.avatars import Avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.fragments import fragment
from services.lipsync.loops import Frames
from services.lipsync.mouths import Mouths, mouths
from services.lipsync.networks import Network
from services.lipsync.schedule import FRAMES_PER_UNIT, fragment_spans
from services.lipsync.timings import FRAMES, step
from services.lipsync.waveform import resampled, waveform_of

_AAC_FRAMES_PER_UNIT = 15


@dataclass(frozen=True, slots=True)
class RenderedFragment:
    """moof and mdat. `start_frame` is on the reply's timeline, `frames_done` counts from the speech's."""

    start_frame: int
    frame_count: int
    data: bytes
    frames_done: int


@dataclass(frozen=True, slots=True)
class Speech:
    """Mono 16-bit PCM, a multiple of 8 frames long, and its place; see `Utterance`."""

    pcm: bytes
    sample_rate_hz: int
    frames: int
    start_frame: int
    resume_frame: int = 0


def render(
    speech: Speech, network: Network, avatar: Avatar, cancellation: Cancellation
) -> Generator[RenderedFragment, None, None]:
    """Yields the fragments from `speech.resume_frame` on; their bytes do not depend on where it resumes.

    Raises:
        Cancelled: soon after `cancellation.cancel`; no step between two checks takes longer than 50 ms of CPU
            time (the spectrogram of a minute of speech).
    """
    with step("resample"):
        waveform = waveform_of(speech.pcm)
        heard = resampled(waveform, speech.sample_rate_hz, mel.SAMPLE_RATE_HZ)
        cancellation.check()
        played = resampled(waveform, speech.sample_rate_hz, sound.SAMPLE_RATE_HZ)
    cancellation.check()
    with step("loop"):
        loop = avatar.loop.frames(cancellation)
    drawn = mouths(network, avatar, heard, speech.frames, cancellation)
    aac = _cancellable(sound.aac_frames(played), cancellation)
    for first, count in fragment_spans(speech.frames):
        with step("aac"):
            # The encoder remembers what it has heard, so it also works through what was sent before.
            aac_frames = list(islice(aac, count // FRAMES_PER_UNIT * _AAC_FRAMES_PER_UNIT))
        if first < speech.resume_frame:
            continue
        units = range(first, first + count, FRAMES_PER_UNIT)
        pictures = _pictures(drawn, loop, units, speech.start_frame, cancellation)
        start_frame = speech.start_frame + first
        data = fragment(pictures, aac_frames, start_frame, avatar.size)
        yield RenderedFragment(start_frame, count, data, frames_done=first + count)


def _pictures(
    drawn: Mouths, loop: Frames, units: range, start_frame: int, cancellation: Cancellation
) -> Iterator[av.VideoFrame]:
    for unit in units:
        for number, mouth in enumerate(drawn.unit(unit), start_frame + unit):
            cancellation.check()
            with step("composite"):
                picture = drawn.compositor.picture(loop[number % len(loop)], mouth, number)
            FRAMES.inc()
            yield picture


def _cancellable(frames: Iterator[bytes], cancellation: Cancellation) -> Iterator[bytes]:
    for frame in frames:
        cancellation.check()
        yield frame
