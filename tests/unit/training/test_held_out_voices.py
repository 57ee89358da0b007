"""The voices of the evaluation come with Debian: what is missing is named, phones that are told are kept."""

from pathlib import Path

import pytest

from services.lipsync.training.held_out_voices import (
    VoicesNotInstalled,
    segs_of_labels,
    write_held_out_voices,
)


def test_a_machine_without_the_voices_is_told_which_packages_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoicesNotInstalled, match="apt install festival"):
        write_held_out_voices(tmp_path / "voices")
    assert not (tmp_path / "voices").exists()


def test_the_labels_of_an_hts_engine_become_segments_that_end_where_they_said() -> None:
    labels = "0 400000 x^x-pau+dh=iy@x_x/A:0_0\n400000 750000 x^pau-dh+iy=ow@1_2/A:0_0\n"
    assert segs_of_labels(labels).splitlines() == ["#", "0.04 0 pau", "0.075 0 dh"]
