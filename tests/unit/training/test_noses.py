"""Speech through other noses: m, n and ng murmur otherwise, and nothing else changes."""

import numpy as np
import pytest

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.espeak_speaker import EspeakSpeaker
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.noses import Noses

# A window of the spectrum reaches this far beyond the murmur that it changes.
BLUR_SECONDS = 0.016


@pytest.fixture(scope="module")
def sentence() -> LabelledSpeech:
    speaker = EspeakSpeaker("espeak-en", ("en-us",), ("",))
    return speaker.labelled_speech("many men sing among the mean machines.", np.random.default_rng(0))


def near_a_nasal(speech: LabelledSpeech) -> np.ndarray:
    seconds = np.arange(speech.waveform.size) / SAMPLE_RATE_HZ
    spans = [
        (seconds > segment.start_seconds - BLUR_SECONDS) & (seconds < segment.end_seconds + BLUR_SECONDS)
        for segment in speech.segments
        if segment.nasal
    ]
    return np.asarray(np.any(spans, axis=0))


def test_only_nasals_change(sentence: LabelledSpeech) -> None:
    changed = Noses([sentence]).exchanged(sentence, np.random.default_rng(1))
    difference = np.abs(changed.waveform - sentence.waveform)
    nasal = near_a_nasal(sentence)
    assert changed.segments == sentence.segments
    assert difference[~nasal].max() < 1e-6
    assert difference[nasal].max() > 0.1 * np.abs(sentence.waveform[nasal]).max()


def test_most_noses_are_about_as_loud_as_the_speakers_own(sentence: LabelledSpeech) -> None:
    noses, nasal = Noses([sentence]), near_a_nasal(sentence)
    changed = [noses.exchanged(sentence, np.random.default_rng(seed)).waveform[nasal] for seed in range(20)]
    assert 0.5 < np.median([murmur.std() for murmur in changed]) / sentence.waveform[nasal].std() < 2


def test_speech_without_nasals_stays_as_it_is(sentence: LabelledSpeech) -> None:
    silent = LabelledSpeech("silence", "", np.zeros(8_000, np.float32), ())
    assert not Noses([sentence]).exchanged(silent, np.random.default_rng(0)).waveform.any()
