"""What the README shows, run as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.stack import Stack

README = (Path(__file__).parents[2] / "README.md").read_text()
ADDRESS = "http://127.0.0.1:8000"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def block(language: str, containing: str) -> str:
    """The README's code block in that language with that text in it."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return next(text for text in blocks if containing in text)


def shell(line: str, folder: Path) -> str:
    result = subprocess.run(
        ["bash", "-c", line], cwd=folder, check=True, capture_output=True, text=True, timeout=90
    )
    return result.stdout


def test_the_lines_of_curl(stack: Stack, tmp_path: Path) -> None:
    lines = block("sh", "curl -s $API/v1/replies").splitlines()
    assignment, ask, follow, save, stream, cancel = lines
    api = assignment.replace(ADDRESS, stack.url) + "; "
    reply = json.loads(shell(api + ask, tmp_path))
    named = api + f"ID={reply['id']}; "
    assert "event: done" in shell(named + follow, tmp_path)
    shell(named + save, tmp_path)
    assert (tmp_path / "moon.mp4").read_bytes()[4:8] == b"ftyp"
    assert "event: done" in shell(api + stream, tmp_path)
    # It has ended already: nothing is taken from it.
    assert json.loads(shell(named + cancel.replace("curl", "curl -s"), tmp_path))["status"] == "completed"


def test_the_python_example(stack: Stack, tmp_path: Path) -> None:
    example = block("python", "visavis_client").replace(ADDRESS, stack.url)
    result = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, check=True, capture_output=True, text=True, timeout=90
    )
    assert result.stdout.split()[0] == "accepted"
    assert result.stdout.split()[-1] == "done"
    assert (tmp_path / "hello.mp4").read_bytes()[4:8] == b"ftyp"
