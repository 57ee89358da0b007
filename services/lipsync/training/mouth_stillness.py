"""An exported mouth network and speech in, a table of how still the mouth stays while nobody speaks out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from services.lipsync.pose import JAW
from services.lipsync.training.augmentation import between_silences
from services.lipsync.training.backgrounds import breath, music, noise
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_evaluation import Mouth

_SECONDS = 4
_BREATH_SECONDS = 1.0
# The mouth begins to move a little before it speaks.
_BREATH_FRAMES = round((_BREATH_SECONDS - 0.2) * FRAMES_PER_SECOND)
_BREATH_BELOW_SPEECH = 10 ** (-20 / 20)


@dataclass(frozen=True)
class Stillness:
    """What a mouth does to a sound that is no speech.

    `widest` is the furthest that any control goes, `mean_jaw` the jaw on average, `jitter` the largest step
    of any control from one frame to the next.
    """

    sound: str
    widest: float
    mean_jaw: float
    jitter: float


def stillnesses(mouth: Mouth, spoken: Sequence[LabelledSpeech]) -> list[Stillness]:
    """Return how still a mouth stays in silence, noise, breath and music, and in breaths before `spoken`."""
    alone = [_stillness(name, mouth.poses(sound.astype(np.float32))) for name, sound in _sounds()]
    rng = np.random.default_rng(2)
    breaths = [mouth.poses(_breath_before(speech, rng))[:_BREATH_FRAMES] for speech in spoken]
    return [*alone, _stillness("breaths 20 dB below the sentence that follows", np.concatenate(breaths))]


def stillness_table(stillnesses: Sequence[Stillness]) -> str:
    """Return them as a Markdown table."""
    rows = ["| sound | widest control | jaw on average | jitter |", "| --- | --: | --: | --: |"]
    rows += [f"| {s.sound} | {s.widest:.3f} | {s.mean_jaw:.3f} | {s.jitter:.3f} |" for s in stillnesses]
    return "\n".join(rows)


def _sounds() -> Iterator[tuple[str, NDArray[np.float64]]]:
    rng = np.random.default_rng(1)
    samples = _SECONDS * SAMPLE_RATE_HZ
    yield "digital silence", np.zeros(samples)
    yield "noise at -60 dB", 1e-3 * noise(samples, rng)
    yield "noise at -40 dB", 1e-2 * noise(samples, rng)
    breaths = np.concatenate([breath(samples // _SECONDS, rng) for _ in range(_SECONDS)])
    yield "breaths alone, with a peak of -20 dB", 0.1 * breaths
    yield "music alone, at -30 dB", 10**-1.5 * music(samples, rng)


def _breath_before(speech: LabelledSpeech, rng: np.random.Generator) -> NDArray[np.float32]:
    waveform = between_silences(speech, _BREATH_SECONDS, 0.0).waveform
    sound = breath(round(_BREATH_SECONDS * SAMPLE_RATE_HZ), rng)
    waveform[: sound.size] += (_BREATH_BELOW_SPEECH * np.abs(waveform).max() * sound).astype(np.float32)
    return waveform


def _stillness(sound: str, poses: NDArray[np.float32]) -> Stillness:
    return Stillness(
        sound=sound,
        widest=float(poses.max()),
        mean_jaw=float(poses[:, JAW].mean()),
        jitter=float(np.abs(np.diff(poses, axis=0)).max()),
    )
