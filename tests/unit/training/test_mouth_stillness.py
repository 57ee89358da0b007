"""Sounds that are no speech: a mouth at rest scores nothing, a moving one shows how far and how suddenly."""

import numpy as np
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from services.lipsync.pose import CONTROLS, JAW
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_stillness import stillness_table, stillnesses

SENTENCE = LabelledSpeech("one", "", np.full(SAMPLE_RATE_HZ, 0.5, np.float32), ())


class LoudnessMouth:
    """Opens the jaw wherever a frame of sound is louder than a threshold."""

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold

    def finished(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        return raw

    def poses(self, waveform: NDArray[np.float32]) -> NDArray[np.float32]:
        frames = waveform.size * FRAMES_PER_SECOND // SAMPLE_RATE_HZ
        poses = np.zeros((frames, len(CONTROLS)), np.float32)
        poses[:, JAW] = np.abs(waveform[: frames * 640]).reshape(frames, 640).max(axis=1) > self._threshold
        return poses


def test_a_mouth_at_rest_scores_nothing() -> None:
    still = stillnesses(LoudnessMouth(threshold=0.4), [SENTENCE])
    assert {(one.widest, one.mean_jaw, one.jitter) for one in still} == {(0.0, 0.0, 0.0)}


def test_a_mouth_that_follows_breath_is_found_out() -> None:
    still = stillnesses(LoudnessMouth(threshold=0.02), [SENTENCE])
    before_speech = still[-1]
    assert "breaths" in before_speech.sound
    assert before_speech.widest == before_speech.jitter == 1.0
    assert 0.2 < before_speech.mean_jaw < 0.8
    assert still[0].mean_jaw == 0.0


def test_each_sound_has_its_row_in_the_table() -> None:
    still = stillnesses(LoudnessMouth(threshold=0.02), [SENTENCE])
    assert [line.split("|")[1].strip() for line in stillness_table(still).splitlines()[2:]] == [
        one.sound for one in still
    ]
