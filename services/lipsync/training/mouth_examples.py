"""A corpus of labelled speech in, every mel window with its true pose out, as-is and in varied copies."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.levelling import levelled, loud_columns
from services.lipsync.mel import (
    BANDS,
    COLUMNS_PER_WINDOW,
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

# The window reaches 80 ms before its frame begins and 120 ms beyond: enough to see a closure coming.
OFFSET_SECONDS = -0.08
_SILENT_COLUMNS_BEFORE = COLUMNS_PER_WINDOW
_SILENT_COLUMNS_AFTER = 2 * COLUMNS_PER_WINDOW
_SILENCES_PER_COPY = 240
# Speech of this many columns, a second and a quarter, is moved half of the way to the average voice.
PATIENCE_COLUMNS = 100.0
_DECIMALS = 3


@dataclass(frozen=True)
class MouthExamples:
    """All windows share one spectrogram: frame i's starts at column `starts[i]` of `columns` (T, 80)."""

    columns: NDArray[np.float16]
    starts: NDArray[np.int64]
    poses: NDArray[np.float32]

    def windows(self, frames: NDArray[np.int64]) -> NDArray[np.float32]:
        """Return the (N, 1, 80, 16) windows behind the given frames."""
        columns = self.starts[frames][:, None] + np.arange(COLUMNS_PER_WINDOW)
        return np.ascontiguousarray(self.columns[columns].transpose(0, 2, 1)[:, None], dtype=np.float32)


def average_column(corpus: Iterable[LabelledSpeech]) -> NDArray[np.float64]:
    """Return the (80,) mean of what is loud in each utterance of a corpus, rounded as a manifest keeps it."""
    voices = [loud_columns(mel_spectrogram(speech.waveform)).mean(axis=1) for speech in corpus]
    return np.asarray(np.mean(voices, axis=0, dtype=np.float64).round(_DECIMALS))


def training_examples(
    corpus: Sequence[LabelledSpeech], average: NDArray[np.float64], varied_copies: int, seed: int
) -> MouthExamples:
    """Return the corpus itself and as many varied copies of it, with pauses between, levelled as served."""
    return _examples(_training_material(corpus, varied_copies, np.random.default_rng(seed)), average)


def _training_material(
    corpus: Sequence[LabelledSpeech], varied_copies: int, rng: np.random.Generator
) -> Iterator[tuple[LabelledSpeech, float]]:
    yield from ((speech, 1.0) for speech in corpus)
    for _ in range(varied_copies):
        yield from ((varied_speech(speech, rng), float(rng.choice(VOCAL_TRACTS))) for speech in corpus)
        yield from ((silent_speech(rng.uniform(0.5, 4.0), rng), 1.0) for _ in range(_SILENCES_PER_COPY))


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
