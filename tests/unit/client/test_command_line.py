"""The `visavis` command as a process, against a scripted server: what is shown, written and returned."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import re
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner
from visavis_client.command.app import app

from tests.fakes.scripted_http import Answer, scripted_http, sse

VISAVIS = (sys.executable, "-c", "from visavis_client.command import main; main()")
CREATED = Answer([b'{"id": "r1"}'], status=202, content_type="application/json")
ACCEPTED = sse(1, "accepted", reply_id="r1", starts_in_seconds=1.0, eta_seconds=2.0)
VIDEO = Answer([b"the video"], content_type="video/mp4")


def done(position: int, video_url: str | None = "/v1/replies/r1/video.mp4") -> bytes:
    return sse(position, "done", status="completed", video_url=video_url, usage={}, timings={})


def progress(position: int, fraction: float) -> bytes:
    return sse(position, "progress", stage="video", fraction=fraction, starts_in_seconds=0, eta_seconds=4.2,
               frames_done=1, frames_total=9, queue_position=0)  # fmt: skip


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


async def test_say_writes_the_video_and_tells_how_far_it_is(run: Run, tmp_path: Path) -> None:
    events = [ACCEPTED, *(progress(2 + i, f) for i, f in enumerate((0.05, 0.31, 0.2, 0.34, 0.99))), done(7)]
    async with scripted_http(CREATED, Answer(events), VIDEO) as server:
        outcome = await run("say", "Hello there", "-o", "hello.mp4", "--server", server.url)
    assert outcome == Outcome(0, "", outcome.stderr)
    assert (tmp_path / "hello.mp4").read_bytes() == b"the video"
    assert re.findall(r"(\d+)%, (\d+) s left", outcome.stderr) == [("31", "5"), ("99", "5")]
    assert outcome.stderr.endswith("Saved hello.mp4\n")
    assert json.loads(server.requests[0].body) == {"say": "Hello there"}


async def test_the_text_may_come_from_stdin_and_options_travel_along(run: Run) -> None:
    async with scripted_http(CREATED, Answer([ACCEPTED, done(2)]), VIDEO) as server:
        outcome = await run(
            "say", "-", "-o", "x.mp4", "--voice", "ava", "--language", "zh", "--avatar", "ada",
            "--speaking-rate", "1.5", "--pitch", "-2", stdin="\ufeff你好".encode(), VISAVIS_SERVER=server.url,
        )  # fmt: skip
    assert outcome.code == 0
    assert json.loads(server.requests[0].body) == {
        "say": "你好", "voice": "ava", "language": "zh", "avatar": "ada", "speaking_rate": 1.5,
        "pitch_semitones": -2,
    }  # fmt: skip


async def test_ask_types_the_text_out_without_what_could_steer_the_terminal(run: Run) -> None:
    events = [
        ACCEPTED,
        sse(2, "text_delta", delta="The \x1b[31mmoon"),
        progress(3, 0.5),
        sse(4, "text_delta", delta=" is\nround."),
        sse(5, "text_ok", text="", finish_reason="stop", usage={}, eta_seconds=1.0),
        done(6),
    ]
    async with scripted_http(CREATED, Answer(events), VIDEO) as server:
        outcome = await run("ask", "Moon?", "-o", "moon.mp4", "--system", "Be brief.", "--server", server.url)
    assert outcome.code == 0
    assert outcome.stdout == "The [31mmoon is\nround.\n"
    assert json.loads(server.requests[0].body)["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Moon?"},
    ]


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


async def test_what_is_there_is_replaced_only_by_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"old")
    refused = await run("say", "Hello", "-o", "x.mp4", "--server", "http://127.0.0.1:9")
    assert refused == Outcome(1, "", "x.mp4 exists; --force replaces it.\n")
    async with scripted_http(CREATED, Answer([ACCEPTED, done(2)]), VIDEO) as server:
        assert (await run("say", "Hello", "-o", "x.mp4", "-f", "--server", server.url)).code == 0
    assert (tmp_path / "x.mp4").read_bytes() == b"the video"


async def test_a_problem_is_one_sentence(run: Run, tmp_path: Path) -> None:
    body = {
        "type": "unknown-voice",
        "title": "No such voice",
        "status": 422,
        "detail": "There is no voice 'x'.",
    }
    answer = Answer([json.dumps(body).encode()], status=422, content_type="application/problem+json")
    async with scripted_http(answer) as server:
        outcome = await run("say", "Hello", "-o", "x.mp4", "--voice", "x", "--server", server.url)
    assert outcome == Outcome(1, "", "Asking\nThere is no voice 'x'.\n")
    assert not (tmp_path / "x.mp4").exists()


async def test_a_text_that_cannot_be_spoken_leaves_no_file(run: Run, tmp_path: Path) -> None:
    async with scripted_http(CREATED, Answer([ACCEPTED, done(2, None)])) as server:
        outcome = await run("say", "🌙", "-o", "x.mp4", "--server", server.url)
    assert outcome.code == 1
    assert outcome.stderr.endswith("There is nothing in this text that can be spoken.\n")
    assert not (tmp_path / "x.mp4").exists()


async def test_no_server_at_the_address_is_one_sentence(run: Run) -> None:
    async with scripted_http() as server:
        pass
    outcome = await run("voices", "--server", server.url)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert outcome.stderr.startswith(f"No answer from {server.url}: ")
    assert outcome.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "stdin", "why"),
    [
        (["say", "-o", "x.mp4"], b"", "Give a text"),
        (["say", "Hello", "--file", "text.txt", "-o", "x.mp4"], b"", "Give a text"),
        (["say", "-", "-o", "x.mp4"], b" \n", "The text is empty"),
        (["say", "-", "-o", "x.mp4"], b"caf\xe9", "not UTF-8: byte 3"),
        (["say", "--file", "text.txt", "-o", "x.mp4"], b"", "Cannot read text.txt"),
        (["say", "Hello", "-o", "x.avi"], b"", "let its name end in .mp4"),
        (["say", "Hello", "-o", "x.mp4", "--server", "localhost"], b"", "not an address"),
        (["say", "Hello"], b"", "Missing option"),
        (["animate", "speech.wav", "-o", "x.mp4"], b"", "does not exist"),
        (["avatar", "add", "nobody.jpg", "--name", "ada"], b"", "does not exist"),
        (["avatar", "add", __file__, "--name", "ada"], b"", "Say --consent"),
    ],
)
def test_wrong_usage_is_said_and_returns_2(arguments: list[str], stdin: bytes, why: str) -> None:
    outcome = CliRunner().invoke(app, arguments, input=stdin)
    assert outcome.exit_code == 2
    assert why in outcome.stderr


async def test_voices_and_avatars_are_tables(run: Run) -> None:
    provider = {"name": "embedded", "embedded": True}
    voice = {"name": "ava", "title": "Ava", "languages": ["en"], "gender": "female", "provider": provider}
    voices = Answer([json.dumps({"voices": [voice]}).encode()], content_type="application/json")
    avatars = Answer([b'{"avatars": [{"id": "ada", "name": "Ada"}]}'], content_type="application/json")
    async with scripted_http(voices, avatars) as server:
        listed = [await run(what, "--server", server.url) for what in ("voices", "avatars")]
    assert [outcome.code for outcome in listed] == [0, 0]
    assert re.search(r"ava .* en .* female .* embedded", listed[0].stdout)
    assert re.search(r"ada .* Ada", listed[1].stdout)


async def test_a_photo_is_added_and_removed_by_name(run: Run, tmp_path: Path) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"a face")
    events = [
        sse(1, "progress", step="waiting", fraction=0),
        sse(2, "progress", step="loop", fraction=0.31),
        sse(3, "progress", step="later", fraction=0.99),
        sse(4, "done", id="ada"),
    ]
    added = Answer(events)
    async with scripted_http(added, Answer([])) as server:
        add = await run("avatar", "add", str(photo), "--name", "Ada", "--consent", "--server", server.url)
        remove = await run("avatar", "remove", "ada", "--server", server.url)
    assert (add.code, remove.code) == (0, 0), (add.stderr, remove.stderr)
    assert "--avatar ada" in add.stdout
    assert add.stderr == "Making it move: 31%\nMaking the face: 99%\n"
    assert "Removed ada" in remove.stdout
    posted = server.requests[0]
    assert posted.path == "/v1/avatars"
    for part in (b"a face", b'name="consent"', b"true", b"image/jpeg"):
        assert part in posted.body


async def test_an_avatar_that_is_cut_off_is_not_there(run: Run, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"a face")
    begun = Answer([sse(1, "progress", step="loop", fraction=0.31)])
    async with scripted_http(begun) as server:
        add = await run("avatar", "add", "photo.jpg", "--name", "Ada", "--consent", "--server", server.url)
    assert (add.code, add.stdout) == (1, "")
    assert "lost before the avatar was there" in add.stderr


def _read_all(terminal: int) -> str:
    shown = b""
    # A terminal whose other end is closed fails to read on Linux.
    with suppress(OSError):
        while block := os.read(terminal, 4096):
            shown += block
    return shown.decode()
