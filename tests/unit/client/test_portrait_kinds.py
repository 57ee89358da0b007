"""A portrait's kind is known by its name, on machines without tables of kinds too."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

KIND = """
import mimetypes, sys
from pathlib import Path
mimetypes.knownfiles.clear()
from visavis_client.portrait import portrait_request
print(portrait_request(Path(sys.argv[1]), "Ada", consent=True)["files"]["image"][2])
"""


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ada.JPG", "image/jpeg"),
        ("ada.png", "image/png"),
        ("ada.webp", "image/webp"),
        ("ada.mp4", "video/mp4"),
        ("ada.MOV", "video/quicktime"),
        ("ada.webm", "video/webm"),
        ("ada.txt.unheard-of", "application/octet-stream"),
    ],
)
def test_a_portraits_kind_is_known_by_its_name(tmp_path: Path, name: str, kind: str) -> None:
    (tmp_path / name).write_bytes(b"a face")
    found = subprocess.run(
        [sys.executable, "-c", KIND, tmp_path / name], check=True, capture_output=True, text=True
    )
    assert found.stdout == f"{kind}\n"
