"""Engines that tell when their phones sound: times fit the waveform, and closures fit the sound."""

from pathlib import Path

import numpy as np
import pytest

from services.lipsync.mel import SAMPLE_RATE_HZ, mel_spectrogram
from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.espeak_speaker import EspeakSpeaker
from services.lipsync.training.labelled_speech import LabelledSpeech, UnlabelledText
from services.lipsync.training.labelling import foreign_labels
from services.lipsync.training.sentences import mandarin_sentence
from services.lipsync.training.speech_corpus import CorpusPart, read_corpus, spoken_corpus, write_corpus
from services.lipsync.training.visemes import PhoneSet, viseme_segments

TEXT = "bob's mom made a big plum pie for papa."
LIP_SOUNDS_OF_TEXT = [*["pbm"] * 9, "fv", *["pbm"] * 2]


@pytest.fixture(scope="module")
def english() -> LabelledSpeech:
    speaker = EspeakSpeaker("espeak-en", ("en-us",), ("",))
    return speaker.labelled_speech(TEXT, np.random.default_rng(0))


def test_segments_follow_each_other_and_end_with_the_speech(english: LabelledSpeech) -> None:
    starts = [segment.start_seconds for segment in english.segments]
    ends = [segment.end_seconds for segment in english.segments]
    assert starts[1:] == pytest.approx(ends[:-1])
    assert ends[-1] == pytest.approx(english.waveform.size / SAMPLE_RATE_HZ, abs=0.02)


def test_the_labels_name_the_lip_sounds_of_the_text_in_order(english: LabelledSpeech) -> None:
    shown = [segment.viseme for segment in english.segments if segment.viseme in ("pbm", "fv")]
    assert shown == LIP_SOUNDS_OF_TEXT


def test_vowels_sound_louder_than_closures_where_the_labels_say_so(english: LabelledSpeech) -> None:
    loudness = mel_spectrogram(english.waveform).mean(axis=0)

    def mean_loudness(*visemes: str) -> float:
        middles = [
            (segment.start_seconds + segment.end_seconds) / 2
            for segment in english.segments
            if segment.viseme in visemes
        ]
        return float(np.mean([loudness[round(middle * 80)] for middle in middles]))

    assert mean_loudness("aa", "ah", "eh", "ae") > mean_loudness("pbm") + 0.5


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_alignment_finds_the_same_sounds_at_the_same_times(seed: int) -> None:
    text = "it is nine thirty in the morning."
    speaker = EspeakSpeaker("espeak-en", ("en-us",), ("",))
    english = speaker.labelled_speech(text, np.random.default_rng(seed))
    aligned = viseme_segments(PhoneAligner().phones(english.waveform, text), PhoneSet.CMU)
    for viseme in ("sz", "th", "pbm"):
        found, told = (
            [segment.start_seconds for segment in segments if segment.viseme == viseme]
            for segments in (aligned, english.segments)
        )
        assert found == pytest.approx(told, abs=0.05), viseme


def test_a_text_with_unknown_words_is_refused(english: LabelledSpeech) -> None:
    with pytest.raises(UnlabelledText, match="1 of 2 words"):
        PhoneAligner().phones(english.waveform, "hello zzyzzyx")


def test_a_corpus_comes_back_from_its_file_as_it_went_in(tmp_path: Path) -> None:
    part = CorpusPart(1.0, EspeakSpeaker("espeak-cmn", ("cmn",)), mandarin_sentence)
    corpus = list(spoken_corpus([part], sentences=3, seed=1))
    write_corpus(tmp_path / "corpus.npz", corpus)
    kept = read_corpus(tmp_path / "corpus.npz")
    assert [(speech.voice, speech.text, speech.segments) for speech in kept] == [
        (speech.voice, speech.text, speech.segments) for speech in corpus
    ]
    for before, after in zip(corpus, kept, strict=True):
        np.testing.assert_allclose(after.waveform, before.waveform, atol=1 / 32_000)


@pytest.mark.parametrize(
    ("voice", "text"),
    [
        ("de", "mama kaufen pflaume baum wunder."),
        ("es", "papel bonito mundo sombrero."),
        ("fr", "maman beaucoup pomme robe."),
        ("it", "bambino bello campo popolo."),
    ],
)
def test_alignment_finds_the_lip_sounds_of_other_languages(voice: str, text: str) -> None:
    speaker = EspeakSpeaker(voice, (voice,), ("",))
    speech = speaker.labelled_speech(text, np.random.default_rng(1))
    labels = foreign_labels(PhoneAligner(), voice)(speech.waveform, text)
    found, told = (
        [segment.start_seconds for segment in segments if segment.viseme == "pbm"]
        for segments in (labels, speech.segments)
    )
    assert found == pytest.approx(told, abs=0.06)
