"""The `visavis` command on a terminal: a bar, text that is typed out, and what a signal ends."""

from __future__ import annotations

import asyncio
import os
import pty
import signal
from asyncio.subprocess import PIPE
from contextlib import suppress
from pathlib import Path

import pytest

from tests.fakes.scripted_http import Answer, scripted_http, sse
from tests.fakes.scripted_replies import ACCEPTED, CREATED, VIDEO, done, progress
from tests.unit.client.conftest import VISAVIS


async def on_a_terminal(folder: Path, *arguments: str) -> str:
    """All that a terminal is sent by a command that succeeds."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *VISAVIS, *arguments, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    shown = await asyncio.to_thread(_read_all, ours)
    os.close(ours)
    assert await process.wait() == 0, shown
    return shown


async def test_a_terminal_gets_a_bar_that_leaves_nothing_behind(tmp_path: Path) -> None:
    async with scripted_http(CREATED, Answer([ACCEPTED, progress(2, 0.4), done(3)]), VIDEO) as server:
        shown = await on_a_terminal(tmp_path, "say", "Hello", "-o", "x.mp4", "--server", server.url)
    assert "40%" in shown
    assert "5 s left" in shown
    assert "100%" in shown
    # The line is erased before the last sentence, and the cursor is back.
    assert shown.endswith("Saved x.mp4\r\n")
    assert shown.rindex("\x1b[2K") > shown.rindex("left")
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


async def test_on_a_terminal_the_text_is_typed_without_the_bar_in_between(tmp_path: Path) -> None:
    text = [
        sse(2, "text_delta", delta="The moon"),
        progress(3, 0.2),
        sse(4, "text_delta", delta=" is round."),
    ]
    whole = sse(5, "text_ok", text="", finish_reason="stop", eta_seconds=1.0)
    events = [ACCEPTED, *text, whole, progress(6, 0.6), done(7)]
    async with scripted_http(CREATED, Answer(events), VIDEO) as server:
        shown = await on_a_terminal(tmp_path, "ask", "Moon?", "-o", "x.mp4", "--server", server.url)
    assert "The moon is round.\r\n" in shown
    assert shown.index("round.") < shown.index("60%")
    assert shown.endswith("Saved x.mp4\r\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_cancels_the_reply_on_the_server(number: signal.Signals, tmp_path: Path) -> None:
    async with scripted_http(CREATED, Answer([ACCEPTED], hold=True), Answer(status=204)) as server:
        process = await asyncio.create_subprocess_exec(
            *VISAVIS, "say", "Hello", "-o", "x.mp4", "--server", server.url, cwd=tmp_path, stderr=PIPE
        )
        await server.wait_for_request("GET")
        process.send_signal(number)
        _, stderr = await process.communicate()
        assert (server.requests[-1].method, server.requests[-1].path) == ("POST", "/v1/replies/r1/cancel")
    assert process.returncode == 128 + number
    assert b"Traceback" not in stderr
    assert not (tmp_path / "x.mp4").exists()


def _read_all(terminal: int) -> str:
    shown = b""
    # A terminal whose other end is closed fails to read on Linux.
    with suppress(OSError):
        while block := os.read(terminal, 4096):
            shown += block
    return shown.decode()
