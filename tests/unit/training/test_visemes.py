"""What a phone looks like: every alphabet leads to a viseme, and every viseme to a sane pose."""

import numpy as np
import pytest

from services.lipsync.pose import CONTROLS, JAW, LIP_TEETH, PRESS, ROUND, WIDE
from services.lipsync.training.visemes import (
    VISEMES,
    Phone,
    PhoneSet,
    viseme_pose,
    viseme_segments,
    visemes_of_phone,
)

VOWELS = "aa ae ah ao aw ax ay eh er ey ih iy ow oy uh uw"
CONSONANTS = "b ch d dh f g hh jh k l m n ng p r s sh t th v w y z zh"


@pytest.mark.parametrize("viseme", VISEMES)
def test_a_viseme_sets_every_control_within_its_range(viseme: str) -> None:
    pose = viseme_pose(viseme)
    assert pose.shape == (len(CONTROLS),)
    assert ((pose >= 0) & (pose <= 1)).all()


def test_only_p_b_m_press_the_lips_and_only_f_v_bite_them() -> None:
    poses = {viseme: viseme_pose(viseme) for viseme in VISEMES}
    assert [viseme for viseme, pose in poses.items() if pose[PRESS] > 0] == ["pbm"]
    assert [viseme for viseme, pose in poses.items() if pose[LIP_TEETH] > 0] == ["fv"]


@pytest.mark.parametrize(("phones", "phone_set"), [("m n ng", PhoneSet.CMU), ("m n ŋ ɲ", PhoneSet.IPA)])
def test_m_and_n_are_told_from_what_looks_alike(phones: str, phone_set: PhoneSet) -> None:
    segments = viseme_segments([Phone(name, 0.0, 0.1) for name in phones.split()], phone_set)
    others = viseme_segments([Phone(name, 0.0, 0.1) for name in ("p", "b", "d", "t", "l", "k")], phone_set)
    assert all(segment.nasal for segment in segments)
    assert not any(segment.nasal for segment in others)


def test_the_jaw_opens_most_for_ah_and_not_at_all_at_rest() -> None:
    assert max(VISEMES, key=lambda viseme: viseme_pose(viseme)[JAW]) == "aa"
    assert not viseme_pose("rest").any()


def test_lips_are_never_both_round_and_wide() -> None:
    for viseme in VISEMES:
        pose = viseme_pose(viseme)
        assert min(pose[ROUND], pose[WIDE]) <= 0.15, viseme


@pytest.mark.parametrize("phone", ["pau", *VOWELS.split(), *CONSONANTS.split()])
def test_every_cmu_phone_is_shown(phone: str) -> None:
    assert set(visemes_of_phone(phone, PhoneSet.CMU)) <= set(VISEMES)


def test_an_unknown_cmu_phone_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="'qq'"):
        visemes_of_phone("qq", PhoneSet.CMU)


@pytest.mark.parametrize(
    ("ipa", "shown"),
    [
        ("p", ("pbm",)),
        ("ph", ("pbm",)),
        ("ɱ", ("fv",)),
        ("tʃ", ("chsh",)),
        ("tɕh", ("chsh",)),
        ("ts.h", ("chsh",)),
        ("tsh", ("sz",)),
        ("s.", ("chsh",)),
        ("ˈi.", ("ih",)),
        ("ˈɑu", ("aa", "uw")),
        ("oʊ", ("ow", "uh")),
        ("ˈaɪɚ", ("aa", "ih", "r")),
        ("ˈɜː", ("r",)),
        ("h", ("h",)),
        ("χ", ("h",)),
        ("", ("rest",)),
    ],
)
def test_ipa_as_espeak_spells_it_leads_to_what_is_seen(ipa: str, shown: tuple[str, ...]) -> None:
    assert visemes_of_phone(ipa, PhoneSet.IPA) == shown


def test_a_diphthong_fills_exactly_the_time_of_its_phone() -> None:
    segments = viseme_segments([Phone("ay", 0.1, 0.3)], PhoneSet.CMU)
    assert [segment.viseme for segment in segments] == ["aa", "iy"]
    np.testing.assert_allclose(
        [(segment.start_seconds, segment.end_seconds) for segment in segments], [(0.1, 0.2), (0.2, 0.3)]
    )
