"""Varied copies of speech sound different, and their labels still tell the truth."""

import numpy as np
import pytest

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.augmentation import (
    at_pace,
    between_silences,
    silent_speech,
    varied_speech,
    with_breaths,
)
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.visemes import Segment


@pytest.fixture
def beep() -> LabelledSpeech:
    """Half a second of silence, half a second of tone, half a second of silence; the label marks the tone."""
    tone = np.sin(2 * np.pi * 440 * np.arange(SAMPLE_RATE_HZ // 2) / SAMPLE_RATE_HZ).astype(np.float32)
    waveform = np.pad(0.5 * tone, SAMPLE_RATE_HZ // 2)
    return LabelledSpeech("tone", "", waveform, (Segment("aa", 0.5, 1.0),))


def heard_span(waveform: np.ndarray) -> tuple[float, float]:
    """When the tone sounds, in seconds."""
    loud = np.flatnonzero(np.abs(waveform) > 0.4 * np.abs(waveform).max())
    return loud[0] / SAMPLE_RATE_HZ, loud[-1] / SAMPLE_RATE_HZ


@pytest.mark.parametrize("pace", [0.8, 1.25])
def test_labels_follow_the_pace(beep: LabelledSpeech, pace: float) -> None:
    paced = at_pace(beep, pace)
    (label,) = paced.segments
    assert heard_span(paced.waveform) == pytest.approx((label.start_seconds, label.end_seconds), abs=0.01)
    assert label.start_seconds == pytest.approx(0.5 / pace)


def test_labels_follow_the_silence_before(beep: LabelledSpeech) -> None:
    padded = between_silences(beep, before_seconds=0.3, after_seconds=0.2)
    (label,) = padded.segments
    assert heard_span(padded.waveform) == pytest.approx((label.start_seconds, label.end_seconds), abs=0.01)
    assert padded.waveform.size == pytest.approx(2.0 * SAMPLE_RATE_HZ)


@pytest.mark.parametrize("seed", range(20))
def test_no_variation_breaks_the_samples_or_loses_the_label(beep: LabelledSpeech, seed: int) -> None:
    varied = varied_speech(beep, np.random.default_rng(seed))
    (label,) = varied.segments
    assert varied.waveform.dtype == np.float32
    assert np.isfinite(varied.waveform).all()
    assert np.abs(varied.waveform).max() < 2.0
    start, end = heard_span(varied.waveform)
    assert start == pytest.approx(label.start_seconds, abs=0.03)
    assert end == pytest.approx(label.end_seconds, abs=0.3)


def test_a_pause_is_fainter_than_speech_and_has_no_labels() -> None:
    rng = np.random.default_rng(0)
    for _ in range(40):
        pause = silent_speech(1.0, rng)
        assert pause.segments == ()
        assert pause.waveform.std() <= 0.12


def test_breaths_are_heard_in_pauses_only(beep: LabelledSpeech) -> None:
    (label,) = beep.segments
    spoken = slice(round(label.start_seconds * SAMPLE_RATE_HZ), round(label.end_seconds * SAMPLE_RATE_HZ))
    heard = 0
    for seed in range(12):
        breathing = with_breaths(beep, np.random.default_rng(seed))
        added = breathing.waveform - beep.waveform
        assert breathing.segments == beep.segments
        assert np.abs(added[spoken]).max() == 0.0
        heard += np.abs(added).max() > 0.0
    assert 5 <= heard <= 12
