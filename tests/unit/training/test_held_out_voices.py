"""The voices of the evaluation come with Debian; without them one is told what to install."""

from pathlib import Path

import pytest

from services.lipsync.training.held_out_voices import VoicesNotInstalled, write_held_out_voices


def test_a_machine_without_the_voices_is_told_which_packages_hold_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(VoicesNotInstalled, match="apt install festival"):
        write_held_out_voices(tmp_path / "voices")
    assert not (tmp_path / "voices").exists()
