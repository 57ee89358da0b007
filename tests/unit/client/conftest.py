"""The `visavis` command as a process of its own: what it writes and returns."""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

VISAVIS = (sys.executable, "-c", "from visavis_client.command import main; main()")


@dataclass(frozen=True, slots=True)
class Outcome:
    code: int
    stdout: str
    stderr: str


Run = Callable[..., Awaitable[Outcome]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in a folder of its own."""

    async def run_there(*arguments: str, stdin: bytes = b"", **environment: str) -> Outcome:
        process = await asyncio.create_subprocess_exec(
            *VISAVIS, *arguments, cwd=tmp_path, stdin=PIPE, stdout=PIPE, stderr=PIPE,
            env={**os.environ, **environment},
        )  # fmt: skip
        stdout, stderr = await process.communicate(stdin)
        return Outcome(process.returncode or 0, stdout.decode(), stderr.decode())

    return run_there
