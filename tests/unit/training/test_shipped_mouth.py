"""The network that ships, on real speech made offline: it closes, opens, rounds, bites and rests in time."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.mel import FRAMES_PER_SECOND, SAMPLE_RATE_HZ
from services.lipsync.pose import JAW, LIP_TEETH, PRESS, ROUND, WIDE
from services.lipsync.training.backgrounds import noise
from services.lipsync.training.espeak_speaker import EspeakSpeaker
from services.lipsync.training.exported_mouth import ExportedMouth
from services.lipsync.training.labelled_speech import LabelledSpeech
from services.lipsync.training.mouth_evaluation import voice_scores

FOLDER = Path(__file__).parents[3] / "services" / "lipsync" / "models" / "networks" / "visavis-mouth"
ENGLISH = (
    "bob's mom made a big plum pie for papa.",
    "five brave vets have never visited a farm.",
    "who would choose a blue shoe for the zoo?",
    "the happy family bought a map of the museum.",
    "please remember that the weather may change before the evening.",
)
MANDARIN = (
    "我的爸爸买了八个白色的包子。",
    "吃葡萄不吐葡萄皮,不吃葡萄倒吐葡萄皮。",
    "飞机飞过了风平浪静的湖面。",
)


@pytest.fixture(scope="module")
def mouth() -> ExportedMouth:
    return ExportedMouth(FOLDER)


@pytest.fixture(scope="module")
def english() -> list[LabelledSpeech]:
    speaker, rng = EspeakSpeaker("english", ("en-us",), ("",)), np.random.default_rng(11)
    return [speaker.labelled_speech(text, rng) for text in ENGLISH]


@pytest.fixture(scope="module")
def mandarin() -> list[LabelledSpeech]:
    speaker, rng = EspeakSpeaker("mandarin", ("cmn",), ("",)), np.random.default_rng(11)
    return [speaker.labelled_speech(text, rng) for text in MANDARIN]


def poses_in(mouth: ExportedMouth, speech: list[LabelledSpeech], viseme: str) -> list[NDArray[np.float32]]:
    """The frames in the middle of every such viseme."""
    return [poses[len(poses) // 2] for poses in poses_of_each(mouth, speech, viseme)]


def poses_of_each(
    mouth: ExportedMouth, speech: list[LabelledSpeech], viseme: str
) -> list[NDArray[np.float32]]:
    """All frames of every such viseme, however short."""
    found = []
    for utterance in speech:
        poses = mouth.poses(utterance.waveform)
        for segment in utterance.segments:
            first = int(segment.start_seconds * FRAMES_PER_SECOND)
            last = min(len(poses) - 1, int(segment.end_seconds * FRAMES_PER_SECOND))
            if segment.viseme == viseme and segment.start_seconds > 0.06:
                found.append(poses[first : last + 1])
    return found


def test_the_manifest_names_the_very_file_that_lies_beside_it() -> None:
    manifest = json.loads((FOLDER / "manifest.json").read_text())
    graph = (FOLDER / manifest["files"]["listen"]["path"]).read_bytes()
    assert sha256(graph).hexdigest() == manifest["files"]["listen"]["sha256"]


@pytest.mark.parametrize("language", ["english", "mandarin"])
def test_the_mouth_follows_speech_in_time(
    mouth: ExportedMouth, language: str, request: pytest.FixtureRequest
) -> None:
    (score,) = voice_scores(mouth, request.getfixturevalue(language))
    assert score.jaw_correlation > 0.85
    assert score.closed_share >= 0.97
    assert score.lip_teeth_share >= 0.9
    assert score.rounded_share >= 0.9
    # Neither flapping nor frozen.
    assert 0.75 < score.jaw_motion < 1.25
    assert abs(score.lag_frames) < 0.5
    # Closing all the time would catch every p as well.
    assert score.shut_frames_share < score.true_shut_frames_share + 0.05


def test_lips_meet_on_p_b_m(mouth: ExportedMouth, english: list[LabelledSpeech]) -> None:
    poses = np.array(poses_in(mouth, english, "pbm"))
    assert np.mean((poses[:, PRESS] > 0.5) & (poses[:, JAW] < 0.1)) > 0.85


def test_the_mouth_opens_on_a(mouth: ExportedMouth, mandarin: list[LabelledSpeech]) -> None:
    poses = np.array(poses_in(mouth, mandarin, "aa"))
    assert np.median(poses[:, JAW]) > 0.45
    assert np.median(poses[:, PRESS]) < 0.1


def test_lips_round_on_u_and_spread_on_i(mouth: ExportedMouth, english: list[LabelledSpeech]) -> None:
    # A glide towards u is at its roundest where it ends, a short u wherever its frame falls.
    rounded = [poses[:, ROUND].max() for poses in poses_of_each(mouth, english, "uw")]
    width_of_u, width_of_i = (
        np.median([pose[WIDE] for pose in poses_in(mouth, english, viseme)]) for viseme in ("uw", "iy")
    )
    roundness_of_i = np.median([pose[ROUND] for pose in poses_in(mouth, english, "iy")])
    assert np.median(rounded) > 0.6
    assert min(rounded) > 0.4
    assert roundness_of_i < 0.25
    assert width_of_i > width_of_u + 0.15


def test_the_lower_lip_touches_the_teeth_on_f_and_v(
    mouth: ExportedMouth, english: list[LabelledSpeech]
) -> None:
    poses = np.array(poses_in(mouth, english, "fv"))
    assert np.mean(poses[:, LIP_TEETH] > 0.35) > 0.6


@pytest.mark.parametrize("level_decibels", [None, -70.0, -55.0])
def test_the_mouth_rests_in_silence(mouth: ExportedMouth, level_decibels: float | None) -> None:
    waveform = np.zeros(3 * SAMPLE_RATE_HZ, np.float32)
    if level_decibels is not None:
        faint = 10 ** (level_decibels / 20) * noise(waveform.size, np.random.default_rng(2))
        waveform = faint.astype(np.float32)
    poses = mouth.poses(waveform)
    assert poses[:, [JAW, ROUND, WIDE]].max() < 0.08
    assert np.abs(np.diff(poses, axis=0)).max() < 0.05


def test_quiet_and_loud_speech_move_the_mouth_alike(
    mouth: ExportedMouth, english: list[LabelledSpeech]
) -> None:
    waveform = english[0].waveform
    loud, quiet = mouth.poses(waveform), mouth.poses(waveform * np.float32(0.2))
    assert np.corrcoef(loud[:, JAW], quiet[:, JAW])[0, 1] > 0.95
