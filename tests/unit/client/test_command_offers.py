"""Voices and avatars by the `visavis` command: listed, added of a photo, removed."""

from __future__ import annotations

import json
import re
from pathlib import Path

from tests.fakes.scripted_http import Answer, scripted_http, sse
from tests.unit.client.conftest import Run


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
