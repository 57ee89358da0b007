"""Every member as a wheel, installed without its sources beside it, holds all that it needs at run time."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MEMBERS = ("proto", "services/text", "services/tts", "services/lipsync", "gateway", "gateway/client")
NEVER_SHIPPED = ("/training/", "/tests/", "/client/", "/build/")

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All members' wheels, built from a copy so that no build folder is left in the sources."""
    folder = tmp_path_factory.mktemp("wheels")
    files = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    sources = folder / "sources"
    for name in filter(None, files):
        if (ROOT / name).is_file():
            (sources / name).parent.mkdir(parents=True, exist_ok=True)
            (sources / name).write_bytes((ROOT / name).read_bytes())
    for member in MEMBERS:
        subprocess.run(
            [
                *(Path(sys.executable).parent / "uv", "build", "--wheel", "--no-build-isolation", "--quiet"),
                *("--python", sys.executable, "--out-dir", folder / "wheels", sources / member),
            ],
            check=True,
        )
    return folder / "wheels"


def test_each_member_is_one_wheel(wheels: Path) -> None:
    assert len(list(wheels.glob("*.whl"))) == len(MEMBERS)


def test_no_wheel_ships_what_only_makes_or_tests_it(wheels: Path) -> None:
    names = [name for wheel in wheels.glob("*.whl") for name in zipfile.ZipFile(wheel).namelist()]
    assert [name for name in names if any(part in f"/{name}" for part in NEVER_SHIPPED)] == []


def test_the_wheels_carry_the_page_the_network_and_the_avatar(wheels: Path) -> None:
    names = {name for wheel in wheels.glob("*.whl") for name in zipfile.ZipFile(wheel).namelist()}
    for needed in (
        "gateway/web/index.html",
        "services/lipsync/models/networks/visavis-mouth/listen.onnx",
        "services/lipsync/models/avatars/ava/loop.mp4",
        "services/lipsync/portrait/inside.png",
        "services/lipsync/models/avatars/ava/speak.onnx",
        "visavis/v1/text_pb2.py",
    ):
        assert needed in names


def test_the_installed_members_import(wheels: Path, tmp_path: Path) -> None:
    """Imports every process's composition root from the wheels alone, with the sources out of reach."""
    site = tmp_path / "site"
    for wheel in wheels.glob("*.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    roots = ("services.text", "services.tts", "services.lipsync", "gateway")
    script = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1]); "
        "sys.meta_path = [f for f in sys.meta_path if 'Editable' not in getattr(f, '__name__', '')]; "
        f"[importlib.import_module(m + '.__main__') for m in {roots!r}]; "
        "importlib.import_module('visavis_client.command'); "
        "print(*[m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in "
        "('gateway', 'services', 'visavis', 'visavis_client') and m.__file__], sep='\\n')"
    )
    result = subprocess.run(
        [sys.executable, "-c", script, str(site)], check=True, capture_output=True, text=True, cwd=tmp_path
    )
    files = result.stdout.splitlines()
    assert files
    assert all(Path(file).is_relative_to(site) for file in files)
