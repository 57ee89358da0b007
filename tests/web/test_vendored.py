"""What the page carries with it: known files, their licences, and little weight."""

import gzip
import hashlib
import json

import pytest

from gateway.settings import WEB_FOLDER

MOST_BYTES = 200_000
VENDOR = WEB_FOLDER / "vendor"
LIBRARIES = json.loads((VENDOR / "manifest.json").read_text())


@pytest.mark.parametrize("name", LIBRARIES)
def test_a_library_is_what_its_maker_published(name: str) -> None:
    files = LIBRARIES[name]["files"]
    found = {path: hashlib.sha256((VENDOR / name / path).read_bytes()).hexdigest() for path in files}
    assert found == files
    assert "LICENSE" in files


def test_nothing_else_is_carried_along() -> None:
    declared = {f"{name}/{path}" for name, library in LIBRARIES.items() for path in library["files"]}
    present = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert present == declared | {"manifest.json"}


def test_the_page_is_light() -> None:
    served = [path for path in WEB_FOLDER.rglob("*") if path.is_file() and path.name != "LICENSE"]
    assert sum(len(gzip.compress(path.read_bytes())) for path in served) < MOST_BYTES
