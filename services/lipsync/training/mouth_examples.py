"""A corpus of labelled speech in, every mel window with its true pose out, as-is and in varied copies."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.levelling import levelled, loud_columns
from services.lipsync.mel import (
    BANDS,
    COLUMNS_PER_FRAME,
    FRAMES_PER_SECOND,
    SAMPLE_RATE_HZ,
    SILENCE,
    mel_filters,
    mel_spectrogram,
    window_starts,
)
from services.lipsync.training.augmentation import VOCAL_TRACTS, silent_speech, varied_speech
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.noses import Noses

# The window reaches 130 ms before its frame begins and 170 ms beyond: enough to see a closure coming.
WINDOW_COLUMNS = 24
OFFSET_SECONDS = -0.13
_SILENT_COLUMNS_BEFORE = WINDOW_COLUMNS
_SILENT_COLUMNS_AFTER = 2 * WINDOW_COLUMNS
_SILENCES_PER_COPY = 480
_OTHER_NOSES_SHARE = 0.5
# Speech of this many columns, a second and a quarter, is moved half of the way to the average voice.
PATIENCE_COLUMNS = 100.0
_DECIMALS = 3


@dataclass(frozen=True)
class MouthExamples:
    """All windows share one spectrogram: frame i's starts at column `starts[i]` of `columns` (T, 80)."""

    columns: NDArray[np.float16]
    starts: NDArray[np.int64]
    poses: NDArray[np.float32]

    def rows(self, first: NDArray[np.int64], frames: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Return the (N, 80, T) spectrograms behind `frames` frames in a row, from each of N on.

        With them comes the (N, frames) column of its spectrogram at which each window starts.
        """
        starts = self.starts[first[:, None] + np.arange(frames)]
        columns = starts[:, :1] + np.arange(columns_of_row(frames))
        heard = np.ascontiguousarray(self.columns[columns].transpose(0, 2, 1), dtype=np.float32)
        return heard, starts - starts[:, :1]

    def unbroken(self, frames: int) -> NDArray[np.bool_]:
        """Return for each frame but the last ones whether as many frames from it on are of one utterance."""
        spans = self.starts[frames - 1 :] - self.starts[: 1 - frames]
        return np.asarray(spans <= columns_of_row(frames) - WINDOW_COLUMNS)


def columns_of_row(frames: int) -> int:
    """Return how many columns the windows of neighbouring frames cover."""
    return WINDOW_COLUMNS + math.ceil((frames - 1) * COLUMNS_PER_FRAME)


def average_column(corpus: Iterable[LabelledSpeech]) -> NDArray[np.float64]:
    """Return the (80,) mean of what is loud in each utterance of a corpus, rounded as a manifest keeps it."""
    voices = [loud_columns(mel_spectrogram(speech.waveform)).mean(axis=1) for speech in corpus]
    return np.asarray(np.mean(voices, axis=0, dtype=np.float64).round(_DECIMALS))


def training_examples(
    corpus: Sequence[LabelledSpeech], average: NDArray[np.float64], varied_copies: int, seed: int
) -> MouthExamples:
    """Return the corpus itself and as many varied copies of it, with pauses between, levelled as served."""
    noses = Noses(corpus)
    return _joined([_copy(corpus, noses, average, (seed, number)) for number in range(1 + varied_copies)])


def _copy(
    corpus: Sequence[LabelledSpeech], noses: Noses, average: NDArray[np.float64], seed: tuple[int, int]
) -> MouthExamples:
    return _examples(_material(corpus, noses, seed), average)


def _material(
    corpus: Sequence[LabelledSpeech], noses: Noses, seed: tuple[int, int]
) -> Iterator[tuple[LabelledSpeech, float]]:
    rng = np.random.default_rng(seed)
    if seed[1] == 0:
        yield from ((speech, 1.0) for speech in corpus)
        return
    for speech in corpus:
        spoken = noses.exchanged(speech, rng) if rng.random() < _OTHER_NOSES_SHARE else speech
        yield varied_speech(spoken, rng), float(rng.choice(VOCAL_TRACTS))
    yield from ((silent_speech(rng.uniform(0.5, 4.0), rng), 1.0) for _ in range(_SILENCES_PER_COPY))


def _joined(copies: Sequence[MouthExamples]) -> MouthExamples:
    begins = np.cumsum([0, *(copy.columns.shape[0] for copy in copies[:-1])])
    return MouthExamples(
        np.concatenate([copy.columns for copy in copies]),
        np.concatenate([copy.starts + begin for copy, begin in zip(copies, begins, strict=True)]),
        np.concatenate([copy.poses for copy in copies]),
    )


def _examples(
    material: Iterable[tuple[LabelledSpeech, float]], average: NDArray[np.float64]
) -> MouthExamples:
    columns: list[NDArray[np.float16]] = []
    starts: list[NDArray[np.int64]] = []
    poses: list[NDArray[np.float32]] = []
    width = 0
    before = np.full((_SILENT_COLUMNS_BEFORE, BANDS), SILENCE, np.float16)
    after = np.full((_SILENT_COLUMNS_AFTER, BANDS), SILENCE, np.float16)
    for speech, vocal_tract in material:
        frames = speech.waveform.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ
        spectrogram = mel_spectrogram(speech.waveform, mel_filters(vocal_tract))
        heard = levelled(spectrogram, average, PATIENCE_COLUMNS).T.astype(np.float16)
        starts.append(window_starts(0, frames, OFFSET_SECONDS) + width + before.shape[0])
        poses.append(pose_track(speech.segments, frames))
        columns += (before, heard, after)
        width += before.shape[0] + heard.shape[0] + after.shape[0]
    return MouthExamples(np.concatenate(columns), np.concatenate(starts), np.concatenate(poses))
