"""A revoiced sentence comes from another throat and the same lips: it changes in time when it did before."""

import numpy as np
import pytest

from services.lipsync.mel import mel_spectrogram
from services.lipsync.training.espeak_speaker import EspeakSpeaker
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.revoicing import revoiced


@pytest.fixture(scope="module")
def sentence() -> LabelledSpeech:
    speaker = EspeakSpeaker("espeak-en", ("en-us",), ("",))
    return speaker.labelled_speech("bob's mom made a big plum pie for papa.", np.random.default_rng(0))


@pytest.mark.parametrize("seed", range(6))
def test_the_words_stay_where_they_were(sentence: LabelledSpeech, seed: int) -> None:
    changed = revoiced(sentence.waveform, np.random.default_rng(seed)).astype(np.float32)
    assert changed.size == sentence.waveform.size
    assert changed.std() == pytest.approx(sentence.waveform.std(), rel=0.01)
    before, after = (mel_spectrogram(waveform).mean(axis=0) for waveform in (sentence.waveform, changed))
    assert np.corrcoef(before, after)[0, 1] > 0.9


def test_another_seed_is_another_voice(sentence: LabelledSpeech) -> None:
    one, other = (revoiced(sentence.waveform, np.random.default_rng(seed)) for seed in (1, 2))
    assert abs(np.corrcoef(one, other)[0, 1]) < 0.3


def test_silence_stays_silent() -> None:
    assert np.abs(revoiced(np.zeros(8_000, np.float32), np.random.default_rng(0))).max() == 0.0
