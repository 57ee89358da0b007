"""Times of words: Pico's own, espeak-ng's own, and the guess for engines that give none."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from numpy.typing import NDArray
from visavis.rpc.failures import Failure, FailureType

from services.tts.espeak_engine import EspeakEngine
from services.tts.pico.engine import PicoEngine
from services.tts.providers import Recording, Utterance
from services.tts.word_spread import spread_words

# Each word stands alone between pauses, and starts and ends with a sound that is heard at once.
COUNTED = "Nine. Moon. Wine. Lemon. Royal."


def sounding_spans(waveform: NDArray[np.float32], rate_hz: int) -> list[tuple[float, float]]:
    """Where it is loud, in seconds, with gaps under 80 ms closed."""
    window = rate_hz // 200
    level = np.abs(waveform[: waveform.size // window * window].reshape(-1, window)).max(axis=1)
    loud = np.flatnonzero(level > 0.02 * level.max())
    breaks = np.flatnonzero(np.diff(loud) > 16)
    starts, ends = loud[np.r_[0, breaks + 1]], loud[np.r_[breaks, loud.size - 1]] + 1
    return [(float(a) / 200, float(b) / 200) for a, b in zip(starts, ends, strict=True)]


def said(engine: PicoEngine | EspeakEngine, text: str, voice: int = 0) -> Recording:
    return engine.recording(Utterance(text, engine.voices[voice]), threading.Event())


@pytest.mark.parametrize(("engine", "voice"), [(PicoEngine(), 0), (PicoEngine(), 1), (EspeakEngine(), 0)])
def test_words_lie_where_they_are_heard(engine: PicoEngine | EspeakEngine, voice: int) -> None:
    recording = said(engine, COUNTED, voice)
    spans = sounding_spans(recording.waveform, recording.sample_rate_hz)
    assert [word.text for word in recording.words] == COUNTED.split()
    assert len(spans) == len(recording.words)
    for word, (start, end) in zip(recording.words, spans, strict=True):
        assert word.start_seconds == pytest.approx(start, abs=0.05)
        assert word.end_seconds == pytest.approx(end, abs=0.08)


def test_words_that_are_read_as_one_stay_one() -> None:
    words = said(PicoEngine(), "She was born on 12 May 1987 in Rome.").words
    assert "12 May 1987" in [word.text for word in words]


def test_a_sign_that_is_not_spoken_stays_with_its_neighbour() -> None:
    words = said(PicoEngine(), "He left — and “didn’t” stop.").words
    assert " ".join(word.text for word in words) == "He left — and “didn’t” stop."


def test_marks_for_timing_do_not_change_what_is_heard() -> None:
    engine = PicoEngine()
    together = said(engine, "An apple and an orange").waveform
    assert said(engine, "An apple and  an\norange").waveform.tobytes() == together.tobytes()


def test_a_sentence_too_long_for_its_marks_is_spoken_all_the_same() -> None:
    recording = said(PicoEngine(), "go " * 100)
    assert recording.waveform.size > 10 * recording.sample_rate_hz
    assert not recording.words


def test_a_text_that_the_engine_cannot_digest_is_refused() -> None:
    with pytest.raises(Failure) as caught:
        said(PicoEngine(), "1" * 2_000)
    assert caught.value.type is FailureType.INVALID_REQUEST


def test_mandarin_words_take_their_commas_with_them_but_not_the_pause() -> None:
    words = said(EspeakEngine(), "你好，世界。", voice=1).words
    assert "".join(word.text for word in words) == "你好，世界。"
    pause = next(i for i, word in enumerate(words) if word.text.endswith("，"))
    assert words[pause + 1].start_seconds - words[pause].end_seconds > 0.05


def test_guessed_words_share_the_sounding_time_by_their_letters() -> None:
    sound, silence = np.full(16_000, 0.5, np.float32), np.zeros(16_000, np.float32)
    words = spread_words("one — twos, 三百", np.concatenate([sound, silence, sound]), 16_000)
    # 3 + 4 + 3 + 3 letters over two seconds of sound, with a second of silence after the first.
    assert [word.text for word in words] == ["one", "twos,", "三", "百"]
    assert words[0].end_seconds == pytest.approx(2 * 3 / 13, abs=0.02)
    assert words[1].start_seconds < 1
    assert words[1].end_seconds == pytest.approx(1 + 2 * 7 / 13, abs=0.02)
    assert words[3].end_seconds == pytest.approx(3, abs=0.02)


@pytest.mark.parametrize(("text", "seconds"), [("—", 1.0), ("", 1.0), ("word", 0.0)])
def test_nothing_is_guessed_from_nothing(text: str, seconds: float) -> None:
    assert not spread_words(text, np.full(round(16_000 * seconds), 0.5, np.float32), 16_000)


def test_guessing_survives_more_words_than_moments() -> None:
    words = spread_words("a " * 50, np.full(1_600, 0.5, np.float32), 16_000)
    times = [time for word in words for time in (word.start_seconds, word.end_seconds)]
    assert len(words) == 50
    assert min(times) >= 0
    assert max(times) <= 0.1
