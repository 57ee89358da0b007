"""An avatar's id in, everything that makes it a person out: the people that are shipped."""

from collections.abc import Mapping

from services.lipsync.training.hair import Combing
from services.lipsync.training.hair_growth import Growth
from services.lipsync.training.identity import Brows, Hair, Identity, Skin, Wall


def _ages(name: str, young: float) -> dict[str, float]:
    """A target that comes as young and old, `name` with braces for the age, mixed."""
    return {name.format("young"): young, name.format("old"): 1 - young}


def _both_eyes(**strengths: float) -> dict[str, float]:
    """Targets of the eyes for both sides, hyphens written as underscores."""
    return {
        f"eyes/{side}-eye-{name.replace('_', '-')}": strength
        for name, strength in strengths.items()
        for side in "lr"
    }


AVA = Identity(
    id="ava",
    name="Ava",
    morphs={
        "macrodetails/caucasian-female-young": 0.75,
        "macrodetails/asian-female-young": 0.25,
        "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
        "head/head-oval": 0.35,
        **_both_eyes(scale_incr=0.3),
        "nose/nose-scale-horiz-decr": 0.3,
        "nose/nose-width3-decr": 0.3,
        "mouth/mouth-angles-up": 0.35,
        "mouth/mouth-lowerlip-volume-incr": 0.25,
        "mouth/mouth-upperlip-volume-incr": 0.3,
        "chin/chin-width-decr": 0.3,
    },
    skin=Skin(
        texture="young_caucasian_female/textures/young_lightskinned_female_diffuse",
        tint=(0.98, 0.80, 0.69),
        lip_red=(0.46, 0.135, 0.125),
    ),
    hair=Hair("bob02/bob02", Combing(), melanin=0.78, redness=0.22, shell_tint=(0.12, 0.085, 0.065)),
    brows=Brows("eyebrow001/eyebrow001", (0.55, 0.45, 0.4)),
    iris="brown_eye",
    cloth=(0.045, 0.10, 0.115),
    wall=Wall((0.80, 0.765, 0.725), (0.56, 0.52, 0.485)),
    tongue_reach=(0.13, 0.05),
    frame_samples=24,
)

BEN = Identity(
    id="ben",
    name="Ben",
    morphs={
        "macrodetails/caucasian-male-young": 1.0,
        "macrodetails/universal-male-young-averagemuscle-averageweight": 1.0,
        "head/head-age-incr": 0.15,
        "head/head-rectangular": 0.2,
        **_both_eyes(scale_incr=0.25),
        "mouth/mouth-angles-up": 0.3,
        "mouth/mouth-lowerlip-volume-incr": 0.2,
        "nose/nose-width3-decr": 0.15,
    },
    skin=Skin(
        texture="young_caucasian_male/textures/young_lightskinned_male_diffuse",
        tint=(0.80, 0.66, 0.56),
        lip_red=(0.36, 0.13, 0.115),
        lip_share=0.4,
        stubble=0.5,
        socket_saturation=0.85,
    ),
    hair=Hair(
        "short04/short04",
        Growth(strands=34_000, length=0.42, sides=0.35, lift=0.4, sweep=(0.3, 0.2, -0.6), unruly=0.14),
        melanin=0.80,
        redness=0.3,
        shell_tint=(0.10, 0.075, 0.06),
    ),
    brows=Brows("eyebrow001/eyebrow001", (0.35, 0.28, 0.24)),
    iris="brownlight_eye",
    cloth=(0.05, 0.055, 0.085),
    wall=Wall((0.70, 0.74, 0.77), (0.45, 0.50, 0.545)),
    neckline=1.14,
    smile=0.4,
)

AMARA = Identity(
    id="amara",
    name="Amara",
    morphs={
        "macrodetails/african-female-young": 0.85,
        "macrodetails/caucasian-female-young": 0.15,
        "macrodetails/universal-female-young-averagemuscle-averageweight": 1.0,
        "head/head-oval": 0.4,
        **_both_eyes(scale_incr=0.35),
        "browInnerUp": 0.3,
        "nose/nose-scale-horiz-decr": 0.25,
        "mouth/mouth-angles-up": 0.35,
    },
    skin=Skin(
        texture="young_african_female/textures/young_darkskinned_female_diffuse",
        tint=(1.35, 1.32, 1.28),
        lip_red=(0.27, 0.075, 0.07),
        lip_share=0.5,
        socket_saturation=1.0,
    ),
    hair=Hair(
        "afro01/afro01",
        Growth(strands=26_000, length=0.16, lift=1.0, curl=0.022, turns=5.0, taper=0.6),
        melanin=0.96,
        redness=0.2,
        shell_tint=(0.03, 0.022, 0.02),
    ),
    brows=Brows("eyebrow005/eyebrow005", (0.12, 0.10, 0.09)),
    iris="brown_eye",
    cloth=(0.36, 0.13, 0.03),
    wall=Wall((0.80, 0.72, 0.62), (0.55, 0.455, 0.37)),
    neckline=1.14,
)

KENJI = Identity(
    id="kenji",
    name="Kenji",
    morphs={
        **_ages("macrodetails/asian-male-{}", 0.2),
        **_ages("macrodetails/universal-male-{}-averagemuscle-averageweight", 0.2),
        "head/head-age-incr": 1.0,
        **_both_eyes(scale_incr=0.5, height2_incr=0.6, bag_incr=0.4),
        "nose/nose-scale-vert-decr": 0.4,
        "mouth/mouth-angles-up": 0.35,
        "mouth/mouth-laugh-lines-in": 0.35,
        "mouth/mouth-lowerlip-volume-incr": 0.25,
        "mouth/mouth-upperlip-volume-incr": 0.15,
        "ears/l-ear-shape-round": 0.6,
        "ears/r-ear-shape-round": 0.6,
    },
    skin=Skin(
        texture="middleage_asian_male/textures/middleage_lightskinned_male_diffuse2",
        tint=(0.70, 0.60, 0.505),
        lip_red=(0.33, 0.15, 0.12),
        lip_share=0.25,
        stubble=0.12,
        socket_saturation=1.0,
    ),
    hair=Hair(
        "short04/short04",
        Growth(strands=34_000, length=0.42, sides=0.3, lift=0.4, sweep=(0.5, 0.2, -0.6), unruly=0.12),
        melanin=1.0,
        redness=0.0,
        shell_tint=(0.35, 0.33, 0.32),
        greyed=(0.40, 0.39, 0.38),
        greyed_share=0.45,
    ),
    brows=Brows("eyebrow001/eyebrow001", (0.75, 0.72, 0.70)),
    iris="brown_eye",
    cloth=(0.17, 0.03, 0.035),
    wall=Wall((0.74, 0.76, 0.70), (0.49, 0.52, 0.45)),
    neckline=1.14,
    smile=0.34,
    bite=(0.035, 0.08),
    lashes=0.35,
    frame_samples=16,
)

IDENTITIES: Mapping[str, Identity] = {identity.id: identity for identity in (AVA, BEN, AMARA, KENJI)}
