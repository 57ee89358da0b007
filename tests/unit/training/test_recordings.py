"""Recordings bring their own phone times, or have them found; one whose text does not fit is left out."""

import wave
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.espeak_speaker import EspeakSpeaker
from services.lipsync.training.recordings import recorded_speech
from services.lipsync.training.visemes import Segment

SEGMENTS = """\
#
0.1000 100 h#
0.1800 100 m
0.3000 100 axr
0.5000 100 pau
"""


def keep(path: Path, waveform: NDArray[np.float32], text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16_000, 0, "NONE", ""))
        file.writeframes((waveform * 32_767).astype("<i2").tobytes())
    path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")


def test_an_engine_that_tells_its_phones_is_believed(tmp_path: Path) -> None:
    keep(tmp_path / "ked" / "one.wav", np.zeros(8_000, np.float32), "mur")
    (tmp_path / "ked" / "one.segs").write_text(SEGMENTS, encoding="utf-8")
    (speech,) = recorded_speech(tmp_path)
    assert (speech.voice, speech.text) == ("ked", "mur")
    assert speech.segments == (
        Segment("rest", 0.0, 0.1),
        Segment("pbm", 0.1, 0.18, nasal=True),
        Segment("r", 0.18, 0.3),
        Segment("rest", 0.3, 0.5),
    )


def test_of_others_those_are_kept_whose_text_fits(tmp_path: Path) -> None:
    text = "please remember the weather."
    spoken = EspeakSpeaker("someone", ("en-us",), ("",)).labelled_speech(text, np.random.default_rng(0))
    keep(tmp_path / "someone" / "fits.wav", spoken.waveform, text)
    keep(tmp_path / "someone" / "unknown.wav", spoken.waveform, "zzyzzyx")
    (speech,) = recorded_speech(tmp_path)
    assert speech.text == text
    assert [segment.viseme for segment in speech.segments].count("pbm") == 4
