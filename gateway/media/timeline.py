"""Speech of utterances goes in, speech placed on the timeline comes out, padded so that fragments join.

Units: frames of 1/25 s, samples of mono 16-bit PCM.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

from gateway.reply.events import Word

FPS = 25
# What tts sends, and what uploads are resampled to.
SPEECH_RATE_HZ = 24_000
# 8 frames are 0.32 s: exactly 15 AAC frames of 1,024 samples at 48 kHz.
GRID_FRAMES = 8
BYTES_PER_SAMPLE = 2
# Two AAC windows overlap at a joint: 1,024 samples at 48 kHz on either side of it must be silent.
JOINT_SECONDS = 1024 / 48_000
LEAD_SECONDS = 0.08
# Lips part before a sound is heard: they need three frames to come from the idle loop's rest.
OPENING_SECONDS = 0.12
TAIL_SECONDS = 0.2
# The mouth comes to rest before the picture ends.
REST_FRAMES = 8


@dataclass(frozen=True, slots=True)
class PlacedSpeech:
    """An utterance's padded speech and its place; a rest (closing silence) has neither text nor words."""

    index: int
    text: str
    start_frame: int
    frame_count: int
    sample_rate_hz: int
    pcm: bytes = field(repr=False)
    words: tuple[Word, ...] = ()
    is_rest: bool = False

    @property
    def start_seconds(self) -> float:
        """On the reply's timeline."""
        return self.start_frame / FPS

    @property
    def duration_seconds(self) -> float:
        """Silence included."""
        return self.frame_count / FPS

    @property
    def end_frame(self) -> int:
        """The next one begins there."""
        return self.start_frame + self.frame_count


class Timeline:
    """Places one utterance after the other, each on a multiple of 8 frames."""

    def __init__(self, end_frame: int = 0, count: int = 0) -> None:
        # Frames placed so far.
        self.end_frame = end_frame
        self._count = count

    @property
    def count(self) -> int:
        """Utterances placed so far, the rest not counted."""
        return self._count

    def place(self, text: str, pcm: bytes, sample_rate_hz: int, words: Sequence[Word]) -> PlacedSpeech:
        """The next utterance with silence around it.

        Args:
            text: what is said, as shown.
            pcm: its speech, without the silence.
            sample_rate_hz: a rate at which a frame is a whole number of samples.
            words: their times count from the first sample of `pcm`.
        """
        lead_seconds = OPENING_SECONDS if self._count == 0 else LEAD_SECONDS
        lead_samples = ceil(lead_seconds * sample_rate_hz)
        speech_samples = len(pcm) // BYTES_PER_SAMPLE
        tail_samples = ceil(TAIL_SECONDS * sample_rate_hz)
        frames = grid_frames(lead_samples + speech_samples + tail_samples, sample_rate_hz)
        silence = b"\0" * BYTES_PER_SAMPLE
        padded = silence * lead_samples + pcm
        padded += silence * (frames * samples_per_frame(sample_rate_hz) - lead_samples - speech_samples)
        offset_seconds = self.end_frame / FPS + lead_samples / sample_rate_hz
        placed_words = tuple(
            Word(
                text=word.text,
                start_seconds=round(word.start_seconds + offset_seconds, 3),
                end_seconds=round(word.end_seconds + offset_seconds, 3),
            )
            for word in words
        )
        return self._next(text, padded, sample_rate_hz, frames, placed_words)

    def place_padded(self, pcm: bytes, sample_rate_hz: int) -> PlacedSpeech:
        """The next piece of speech that already lies on the grid, silent at its edges."""
        frames = len(pcm) // BYTES_PER_SAMPLE // samples_per_frame(sample_rate_hz)
        return self._next("", pcm, sample_rate_hz, frames, ())

    def rest(self, sample_rate_hz: int) -> PlacedSpeech:
        """The closing silence."""
        pcm = b"\0" * (REST_FRAMES * samples_per_frame(sample_rate_hz) * BYTES_PER_SAMPLE)
        placed = PlacedSpeech(self._count, "", self.end_frame, REST_FRAMES, sample_rate_hz, pcm, is_rest=True)
        self.end_frame += REST_FRAMES
        return placed

    def _next(
        self, text: str, pcm: bytes, sample_rate_hz: int, frames: int, words: tuple[Word, ...]
    ) -> PlacedSpeech:
        placed = PlacedSpeech(self._count, text, self.end_frame, frames, sample_rate_hz, pcm, words)
        self._count += 1
        self.end_frame += frames
        return placed


def samples_per_frame(sample_rate_hz: int) -> int:
    """Samples under one frame. Raises ValueError where that is no whole number."""
    samples, left_over = divmod(sample_rate_hz, FPS)
    if left_over:
        raise ValueError(f"{sample_rate_hz} Hz has no whole number of samples per frame")
    return samples


def grid_frames(samples: int, sample_rate_hz: int) -> int:
    """The frames, a multiple of 8, that hold so many samples."""
    grid_samples = samples_per_frame(sample_rate_hz) * GRID_FRAMES
    return -(-samples // grid_samples) * GRID_FRAMES
