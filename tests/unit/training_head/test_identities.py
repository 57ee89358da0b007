"""What tells the shipped avatars apart, and that each can be made from core assets alone."""

import re
from pathlib import Path

import pytest

from services.lipsync.training.identities import IDENTITIES
from services.lipsync.training.identity import Identity

LICENCES = Path(__file__).parents[3] / "services" / "lipsync" / "models" / "LICENSES.md"

every_identity = pytest.mark.parametrize("identity", IDENTITIES.values(), ids=IDENTITIES)


@every_identity
def test_every_asset_is_named_in_the_licences(identity: Identity) -> None:
    named = LICENCES.read_text()
    skin = Path(identity.skin.texture).name
    hair, brows = (path.split("/")[0] for path in (identity.hair.shell, identity.brows.proxy))
    for asset in (skin, hair, brows, identity.iris):
        assert f"`{asset}`" in named


@every_identity
def test_the_morphs_of_a_face_are_the_same_on_both_sides(identity: Identity) -> None:
    for name, strength in identity.morphs.items():
        other = re.sub(r"/([lr])-", lambda side: "/r-" if side[1] == "l" else "/l-", name)
        assert identity.morphs[other] == strength


@every_identity
def test_the_shares_of_sex_and_age_add_up_to_one_body(identity: Identity) -> None:
    body = [share for name, share in identity.morphs.items() if name.startswith("macrodetails/universal-")]
    face = [share for name, share in identity.morphs.items() if name.startswith("macrodetails/")]
    assert sum(body) == pytest.approx(1)
    assert sum(face) == pytest.approx(2)


def test_no_two_avatars_share_skin_and_hair() -> None:
    assert len({(each.skin.texture, each.hair.shell) for each in IDENTITIES.values()}) == len(IDENTITIES)
