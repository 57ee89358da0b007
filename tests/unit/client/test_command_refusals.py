"""What the `visavis` command cannot do: said in one sentence, by its exit status, and with no file left."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner
from visavis_client.command.app import app

from tests.fakes.scripted_http import Answer, scripted_http
from tests.fakes.scripted_replies import ACCEPTED, CREATED, VIDEO, done
from tests.unit.client.conftest import Outcome, Run


async def test_what_is_there_is_replaced_only_by_force(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.mp4").write_bytes(b"old")
    refused = await run("say", "Hello", "-o", "x.mp4", "--server", "http://127.0.0.1:9")
    assert refused == Outcome(1, "", "x.mp4 exists; --force replaces it.\n")
    async with scripted_http(CREATED, Answer([ACCEPTED, done(2)]), VIDEO) as server:
        assert (await run("say", "Hello", "-o", "x.mp4", "-f", "--server", server.url)).code == 0
    assert (tmp_path / "x.mp4").read_bytes() == b"the video"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="in /proc nobody can write, not even root")
async def test_what_could_not_be_written_is_not_made(run: Run) -> None:
    async with scripted_http() as server:
        outcome = await run("say", "Hello", "-o", "/proc/x.mp4", "--server", server.url)
    assert outcome.code == 1
    assert outcome.stderr.startswith("Nothing can be written in /proc: ")
    assert server.requests == []


async def test_an_address_of_another_machine_is_not_served(run: Run) -> None:
    # Of TEST-NET-3 (RFC 5737): no machine has it.
    outcome = await run("serve", "--host", "203.0.113.9", "--port", "8000")
    assert outcome.code == 1
    assert "Choose another --host" in outcome.stderr


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


async def test_whoever_lacks_a_key_is_told_where_to_put_it(run: Run) -> None:
    body = {"type": "unauthorized", "title": "Unauthorized", "status": 401, "detail": "Send an API key."}
    refusal = Answer([json.dumps(body).encode()], status=401, content_type="application/problem+json")
    voices = Answer([b'{"voices": []}'], content_type="application/json")
    async with scripted_http(refusal, voices) as server:
        refused = await run("voices", "--server", server.url)
        let_in = await run("voices", "--server", server.url, VISAVIS_API_KEY="sesame")
    assert refused == Outcome(1, "", "Send an API key. This command sends the one in VISAVIS_API_KEY.\n")
    assert let_in.code == 0
    assert server.requests[1].headers["authorization"] == "Bearer sesame"


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
