"""What the seven controls do to the morphs of jaw and lips, and what a resting face does."""

from services.lipsync.pose import CONTROLS
from services.lipsync.training.rig import mouth_morphs, resting_morphs


def posed(**controls: float) -> dict[str, float]:
    return mouth_morphs([controls.get(name, 0.0) for name in CONTROLS])


def test_a_resting_pose_moves_nothing() -> None:
    assert not any(posed().values())


def test_jaw_opens_in_proportion() -> None:
    assert posed(jaw=1.0)["jawOpen"] == 2 * posed(jaw=0.5)["jawOpen"] > 0


def test_pressed_lips_keep_the_jaw_shut() -> None:
    assert posed(jaw=1.0, press=1.0)["jawOpen"] == 0


def test_rounding_puckers_and_draws_the_corners_in() -> None:
    rounded = posed(round=1.0)
    assert rounded["mouthPucker"] > 0.9
    assert rounded["mouthSmileLeft"] == rounded["mouthSmileRight"] < 0


def test_lower_lip_meets_upper_teeth() -> None:
    bite = posed(lip_teeth=1.0)
    assert bite["mouthRollLower"] > 0.5
    assert bite["mouthUpperUpLeft"] > 0.5
    assert bite["jawOpen"] < 0.05


def test_both_sides_of_the_face_move_alike() -> None:
    strengths = posed(jaw=0.5, wide=0.7, teeth=0.4, press=0.2, lip_teeth=0.3)
    lefts = {name: value for name, value in strengths.items() if name.endswith("Left")}
    assert lefts
    assert all(strengths[name.removesuffix("Left") + "Right"] == value for name, value in lefts.items())


def test_a_resting_face_smiles_on_both_sides_as_much_as_it_is_told() -> None:
    resting = resting_morphs(0.3)
    assert resting["mouthSmileLeft"] == resting["mouthSmileRight"] == 0.3
