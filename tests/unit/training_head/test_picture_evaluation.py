"""What the report on drawn mouths sees: a shipped mouth sits on its loop, a spoiled one is found out."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar, Speak, folder_bundle, load_avatar
from services.lipsync.cancellation import Cancellation
from services.lipsync.training.mouth_poses import pose_set
from services.lipsync.training.picture_evaluation import drawn_mouths, fit, likeness

AVATARS = Path(__file__).parents[3] / "services" / "lipsync" / "models" / "avatars"


@dataclass(frozen=True)
class Tinted:
    """A mouth too bright by `light`, of 1."""

    speak: Speak
    light: float

    def run(self, batch: NDArray[np.float32], cancellation: Cancellation) -> NDArray[np.float32]:
        return self.speak.run(batch, cancellation) + np.float32(self.light)


@pytest.fixture(scope="module")
def avatar() -> Avatar:
    """Ava on the first second of her loop."""
    whole = load_avatar(folder_bundle(AVATARS / "ava"), ["CPUExecutionProvider"])
    mouth = whole.manifest.mouth.model_copy(update={"placement": whole.manifest.mouth.placement[:25]})
    return replace(whole, manifest=whole.manifest.model_copy(update={"mouth": mouth}))


def test_the_resting_mouth_sits_on_the_loop_without_jump_step_or_flicker(avatar: Avatar) -> None:
    sits = fit(avatar)
    assert sits.jump < 1.5
    assert sits.step < 4
    assert sits.flicker < sits.idle_flicker + 0.5


def test_a_box_of_another_colour_is_found(avatar: Avatar) -> None:
    boxed = fit(replace(avatar, speak=Tinted(avatar.speak, light=0.05)))
    assert boxed.step > fit(avatar).step + 5
    assert boxed.jump > fit(avatar).jump + 5


def test_a_drawn_mouth_is_nearer_to_the_truth_than_one_that_never_moves(avatar: Avatar) -> None:
    poses = pose_set().held_out
    true = drawn_mouths(avatar, poses)
    resting = drawn_mouths(avatar, np.zeros_like(poses[:1]))[0]
    close = likeness((true + np.float32(0.01)).clip(0, 1), true, resting)
    assert close.decibels == pytest.approx(40, abs=0.5)
    assert 38 < close.worst_decibels <= close.decibels
    assert close.resting_decibels < 30
    assert close.moving_decibels == pytest.approx(40, abs=0.5)
    assert close.sharpness == pytest.approx(1, abs=0.02)
