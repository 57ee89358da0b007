"""What Pico spoke, with and without marks, goes in; the time of every word comes out.

Its marks are exact, but they change how it phrases: so it speaks a text twice, and the phones are compared.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import groupby

import numpy as np

from services.tts.providers import Timing

SAMPLE_RATE_HZ = 16_000
# A mark beyond is not told apart from this one; voice.c has room for as many.
LAST_MARK = 1_000
_FRAME_SAMPLES = 64
# How long after its turn a frame is heard; measured against PocketSphinx's alignment of 85 words.
_VOCODER_DELAY_SAMPLES = 352


@dataclass(frozen=True, slots=True)
class Spoken:
    """int16 samples, the sample at which each mark was passed (-1: never), each frame's phone, fuel used.

    `rate_hz` is the rate at which the samples are to be played.
    """

    samples: np.ndarray[tuple[int], np.dtype[np.int16]]
    marks: Sequence[int]
    phones: bytes
    fuel: int
    rate_hz: int = SAMPLE_RATE_HZ

    def runs(self) -> list[_Run]:
        """Frames in a row with the same phone."""
        runs, frame = [], 0
        for phone, group in groupby(self.phones):
            length = len(list(group))
            runs.append(_Run(phone, frame, frame + length))
            frame += length
        return runs

    def seconds(self, frame: int) -> float:
        """When the frame is heard."""
        return (frame * _FRAME_SAMPLES + _VOCODER_DELAY_SAMPLES) / self.rate_hz


@dataclass(frozen=True, slots=True)
class _Run:
    phone: int
    start_frame: int
    end_frame: int


def word_timings(words: Sequence[str], plain: Spoken, marked: Spoken) -> list[Timing]:
    """Each word from its first phone to its last; words that are read as one, such as "12 May", stay one."""
    plain_runs, marked_runs = plain.runs(), marked.runs()
    if not plain_runs or not marked_runs:
        return []
    opcodes = SequenceMatcher(
        None, [run.phone for run in marked_runs], [run.phone for run in plain_runs], autojunk=False
    ).get_opcodes()
    ends = [run.end_frame * _FRAME_SAMPLES for run in marked_runs]
    starts = [
        _counterpart(opcodes, bisect_right(ends, marked.marks[min(number, LAST_MARK)]))
        for number in range(len(words))
    ]
    silence = plain.phones[0]
    timings: list[Timing] = []
    for first, group in groupby(range(len(words)), starts.__getitem__):
        numbers = list(group)
        text = " ".join(words[number] for number in numbers)
        after = starts[numbers[-1] + 1] if numbers[-1] + 1 < len(words) else len(plain_runs)
        spoken = [run for run in plain_runs[first:after] if run.phone != silence]
        if spoken:
            start, end = (plain.seconds(frame) for frame in (spoken[0].start_frame, spoken[-1].end_frame))
            timings.append(Timing(text, start, end))
        elif timings:
            timings[-1] = replace(timings[-1], text=f"{timings[-1].text} {text}")
    return timings


def _counterpart(opcodes: Sequence[tuple[str, int, int, int, int]], index: int) -> int:
    """The place in the second sequence that answers to a place in the first."""
    for _, first, after, other_first, other_after in opcodes:
        if first <= index < after:
            return min(other_first + index - first, other_after)
    return opcodes[-1][4]
