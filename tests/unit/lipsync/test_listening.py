"""Poses of an utterance: alike in pieces and as a whole, open with the sound, none once it is cancelled."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.listening import PoseTrack
from services.lipsync.mel import BANDS, mel_columns, mel_spectrogram, mel_windows, window_starts
from services.lipsync.networks import PoseNetwork, load_pose_network
from services.lipsync.pose import CONTROLS, JAW, ClosureGate, finished_poses
from services.lipsync.sessions import execution_providers
from tests.fakes import tiny_models

FRAMES = 40


@pytest.fixture
def network(tmp_path: Path) -> PoseNetwork:
    tiny_models.write_tiny_network(tmp_path / "tiny")
    return load_pose_network(tmp_path / "tiny", execution_providers(["cpu"]))


def waveform() -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Noise that grows louder, then stops after 32 frames."""
    noise = np.random.default_rng(0).normal(0, 0.2, FRAMES * 640) * np.linspace(0, 1, FRAMES * 640)
    noise[32 * 640 :] = 0
    return noise.astype(np.float32)


def test_poses_in_pieces_are_the_poses_of_the_whole_utterance(network: PoseNetwork) -> None:
    track = PoseTrack(network, waveform(), FRAMES, Cancellation())
    pieces = np.concatenate([track.poses(first) for first in range(0, FRAMES, 8)])

    windows = mel_windows(mel_spectrogram(waveform()), 0, FRAMES, -0.08)
    raw = network.listen.run(windows[:, 0], Cancellation())[:, :, 0]
    whole = finished_poses(raw, (0.15, 0.7, 0.15), ClosureGate(0.12, 0.62))
    assert pieces.shape == (FRAMES, len(CONTROLS))
    np.testing.assert_allclose(pieces, whole, atol=1e-5)


def test_a_network_hears_as_many_columns_as_its_manifest_says(tmp_path: Path) -> None:
    tiny_models.write_tiny_network(tmp_path / "wide", columns=24)
    network = load_pose_network(tmp_path / "wide", execution_providers(["cpu"]))
    track = PoseTrack(network, waveform(), FRAMES, Cancellation())

    spectrogram = mel_spectrogram(waveform())
    starts = window_starts(0, FRAMES, -0.08).tolist()
    windows = np.stack([mel_columns(spectrogram, start, start + 24) for start in starts])
    raw = network.listen.run(windows, Cancellation())[:, :, 0]
    whole = finished_poses(raw, (0.15, 0.7, 0.15), ClosureGate(0.12, 0.62))
    np.testing.assert_allclose(track.poses(0), whole[:8], atol=1e-5)


def test_the_mouth_opens_with_the_sound_and_closes_after_it(network: PoseNetwork) -> None:
    track = PoseTrack(network, waveform(), FRAMES, Cancellation())

    assert track.poses(24)[:, JAW].min() > 0.3
    assert track.poses(32)[-1, JAW] == pytest.approx(0, abs=1e-5)


def test_a_track_taken_up_in_the_middle_gives_the_same_poses(network: PoseNetwork) -> None:
    whole = PoseTrack(network, waveform(), FRAMES, Cancellation())
    for first in (0, 8):
        whole.poses(first)
    later = PoseTrack(network, waveform(), FRAMES, Cancellation())

    assert (whole.poses(16) == later.poses(16)).all()


def test_a_network_that_hears_levelled_speech_hears_quiet_voices_like_loud_ones(tmp_path: Path) -> None:
    tiny_models.write_tiny_network(tmp_path / "plain")
    tiny_models.write_tiny_network(tmp_path / "levelling")
    path = tmp_path / "levelling" / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["levelling"] = {"average_column": [-1.0] * BANDS, "patience_columns": 10.0}
    path.write_text(json.dumps(manifest))

    def difference(name: str) -> float:
        network = load_pose_network(tmp_path / name, execution_providers(["cpu"]))
        loud, quiet = (
            PoseTrack(network, waveform() * level, FRAMES, Cancellation()).poses(16)[:, JAW]
            for level in (np.float32(1.0), np.float32(0.2))
        )
        return float(np.abs(loud - quiet).max())

    assert difference("plain") > 0.2
    assert difference("levelling") < 0.1


def test_a_cancelled_track_gives_no_poses(network: PoseNetwork) -> None:
    cancellation = Cancellation()
    track = PoseTrack(network, waveform(), FRAMES, cancellation)
    cancellation.cancel()

    with pytest.raises(Cancelled):
        track.poses(0)
