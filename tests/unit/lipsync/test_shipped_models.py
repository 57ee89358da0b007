"""The network and the avatar that are shipped, together: still in silence, open on an open vowel."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar, folder_bundle, load_avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.fragments import init_segment
from services.lipsync.listening import PoseTrack
from services.lipsync.networks import PoseNetwork, load_pose_network
from services.lipsync.pose import CONTROLS, JAW
from services.lipsync.rendering import Speech, render
from services.lipsync.sessions import execution_providers
from services.lipsync.settings import LipsyncSettings
from services.lipsync.training.espeak_speaker import EspeakSpeaker
from tests.fakes.played import pictures_of

CPU = execution_providers(["cpu"])
SETTINGS = LipsyncSettings()
RATE_HZ = 16_000
FRAMES = 24


@pytest.fixture(scope="module")
def network() -> PoseNetwork:
    return load_pose_network(SETTINGS.models_dir / "networks" / SETTINGS.network, CPU)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    return load_avatar(folder_bundle(SETTINGS.models_dir / "avatars" / SETTINGS.avatar), CPU)


def open_vowel() -> NDArray[np.float32]:
    """An "ah" of a third of a second, as espeak-ng says it, silent at both ends."""
    speaker = EspeakSpeaker("espeak-en", ("en-us",), ("",))
    spoken = speaker.labelled_speech("ah.", np.random.default_rng(2)).waveform
    wave = np.zeros(FRAMES * 640, np.float32)
    wave[8 * 640 : 8 * 640 + spoken.size] = spoken
    return wave


def lower_face(picture: NDArray[np.uint8], avatar: Avatar, position: int) -> NDArray[np.float64]:
    """The luma that the mouth's crop covers on that frame of the loop."""
    placement = np.array(avatar.manifest.mouth.placement[position]).reshape(2, 3)
    size = (avatar.manifest.mouth.size_px,) * 2
    luma = picture[: avatar.manifest.height_px]
    return np.asarray(cv2.warpAffine(luma, placement, size, flags=cv2.WARP_INVERSE_MAP), np.float64)


def psnr(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float(10 * np.log10(255**2 / np.mean(np.square(one - other))))


def frames_of(wave: NDArray[np.float32], network: PoseNetwork, avatar: Avatar) -> list[NDArray[np.uint8]]:
    pcm = (wave * 32767).astype("<i2").tobytes()
    fragments = render(Speech(pcm, RATE_HZ, FRAMES, start_frame=0), network, avatar, Cancellation())
    media = init_segment(avatar.size) + b"".join(fragment.data for fragment in fragments)
    return [np.asarray(picture.to_ndarray(), np.uint8) for picture in pictures_of(media)]


def test_in_silence_the_face_is_the_idle_loop(network: PoseNetwork, avatar: Avatar) -> None:
    shown = frames_of(np.zeros(FRAMES * 640, np.float32), network, avatar)

    for position in range(FRAMES):
        face = lower_face(shown[position], avatar, position)
        assert psnr(face, lower_face(avatar.frame(position), avatar, position)) > 33


def test_an_open_vowel_opens_the_mouth_and_silence_closes_it(network: PoseNetwork) -> None:
    track = PoseTrack(network, open_vowel(), FRAMES, Cancellation())
    jaw = np.concatenate([track.poses(first) for first in (0, 8, 16)])[:, JAW]

    assert jaw[10:14].min() > 0.3
    assert jaw[:5].max() < 0.1
    assert jaw[20:].max() < 0.1


def test_an_open_mouth_shows_in_the_picture_and_nothing_changes_around_it(
    network: PoseNetwork, avatar: Avatar
) -> None:
    shown = frames_of(open_vowel(), network, avatar)[12]
    idle = avatar.frame(12)

    assert psnr(lower_face(shown, avatar, 12), lower_face(idle, avatar, 12)) < 28
    top = avatar.manifest.height_px // 3
    assert psnr(shown[:top].astype(float), idle[:top].astype(float)) > 40


def test_the_resting_pose_is_the_mouth_of_the_loop(avatar: Avatar) -> None:
    rest = avatar.speak.run(np.zeros((1, len(CONTROLS)), np.float32), Cancellation())[0]
    luma = 16 + 65.481 * rest[0] + 128.553 * rest[1] + 24.966 * rest[2]

    assert psnr(luma.astype(float), lower_face(avatar.frame(0), avatar, 0)) > 33
