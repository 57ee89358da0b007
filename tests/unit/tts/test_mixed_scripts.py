"""Chinese and another language in one utterance: who reads what, and how the parts meet."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from services.tts.joining import joined
from services.tts.loudness import TARGET_LUFS, loudness_lufs
from services.tts.providers import Recording, Timing
from services.tts.script_runs import Run, script_runs


@pytest.mark.parametrize(
    ("text", "runs"),
    [
        ("Hello", [("Hello", False)]),
        ("你好，世界。", [("你好，世界。", True)]),
        ("Say 你好 twice.", [("Say ", False), ("你好", True), (" twice.", False)]),
        ("“你好”, he said.", [("“你好", True), ("”, he said.", False)]),
        ("It costs 5000元 (人民币).", [("It costs ", False), ("5000元 (人民币).", True)]),
        ("我用Windows 11系统", [("我用", True), ("Windows ", False), ("11系统", True)]),
        ("北京 (Beijing) 很大", [("北京", True), (" (Beijing) ", False), ("很大", True)]),
        ("…", [("…", False)]),
    ],
)
def test_each_script_is_a_run_and_marks_go_with_their_neighbour(
    text: str, runs: list[tuple[str, bool]]
) -> None:
    assert script_runs(text) == [Run(*run) for run in runs]


@pytest.mark.parametrize("text", ["a你b好c", "3个 apples and 4个", "( 你好 )", "", "  你 好  "])
def test_no_character_is_lost_between_runs(text: str) -> None:
    assert "".join(run.text for run in script_runs(text)) == text


def tone(seconds: float, rate_hz: int, amplitude: float) -> NDArray[np.float32]:
    time = np.arange(round(seconds * rate_hz)) / rate_hz
    return (amplitude * np.cos(2 * np.pi * 300 * time)).astype(np.float32)


def test_parts_meet_at_one_loudness_and_without_a_click() -> None:
    quiet = Recording(tone(1, 16_000, 0.02), 16_000, [Timing("one", 0, 1)])
    silent = Recording(np.zeros(8_000, np.float32), 8_000, [Timing("nothing", 0, 1)])
    loud = Recording(tone(1, 22_050, 0.9), 22_050, [Timing("two", 0.5, 1)])
    whole = joined([quiet, silent, loud])
    rate_hz = whole.sample_rate_hz
    assert whole.waveform.size / rate_hz == pytest.approx(2.08, abs=0.01)
    for part in (whole.waveform[: rate_hz - 240], whole.waveform[-rate_hz + 240 :]):
        assert loudness_lufs(part, rate_hz) == pytest.approx(TARGET_LUFS, abs=0.5)
    tone_steps = np.abs(np.diff(whole.waveform[rate_hz // 4 : rate_hz // 2])).max()
    assert np.abs(np.diff(whole.waveform)).max() <= 1.1 * tone_steps
    assert [word.text for word in whole.words] == ["one", "two"]
    assert whole.words[1].start_seconds == pytest.approx(1.58, abs=0.01)


def test_parts_without_sound_are_no_sound() -> None:
    assert joined([Recording(np.zeros(8_000, np.float32), 8_000)]).waveform.size == 0
