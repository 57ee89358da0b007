"""A reply by the `visavis` command, against a scripted server: what is sent, shown and written."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.fakes.scripted_http import Answer, scripted_http, sse
from tests.fakes.scripted_replies import ACCEPTED, CREATED, VIDEO, done, progress
from tests.unit.client.conftest import Outcome, Run


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


async def test_ask_says_beside_the_text_that_it_was_cut(run: Run) -> None:
    whole = sse(3, "text_ok", text="The", finish_reason="length", usage={}, eta_seconds=1.0)
    events = [ACCEPTED, sse(2, "text_delta", delta="The"), whole, done(4)]
    async with scripted_http(CREATED, Answer(events), VIDEO) as server:
        outcome = await run("ask", "Moon?", "-o", "moon.mp4", "--server", server.url)
    assert (outcome.code, outcome.stdout) == (0, "The\n")
    assert "The answer was cut off: it reached its greatest length.\n" in outcome.stderr


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
