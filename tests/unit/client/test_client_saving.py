"""A reply's video in a file: whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from visavis_client import AsyncClient, NothingMade, Unreachable

from tests.fakes.scripted_http import Answer, scripted_http, sse
from tests.fakes.scripted_replies import ACCEPTED, CREATED, done

FILMED = Answer([ACCEPTED, done(2)])
CANCELLED = sse(2, "done", status="cancelled", video_url=None, usage={}, timings={})


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


async def test_a_video_is_saved_whole(tmp_path: Path) -> None:
    async with (
        scripted_http(CREATED, FILMED, Answer([b"first ", b"last"], content_type="video/mp4")) as server,
        AsyncClient(server.url) as client,
    ):
        await (await client.reply(say="Moon")).save(tmp_path / "moon.mp4")
    assert (tmp_path / "moon.mp4").read_bytes() == b"first last"
    assert server.requests[-1].path == "/v1/replies/r1/video.mp4"
    assert names(tmp_path) == ["moon.mp4"]


async def test_a_reply_that_was_followed_is_saved_without_following_it_again(tmp_path: Path) -> None:
    async with (
        scripted_http(CREATED, FILMED, Answer([b"video"], content_type="video/mp4")) as server,
        AsyncClient(server.url) as client,
    ):
        reply = await client.reply(say="Moon")
        assert [event.id async for event in reply] == [1, 2]
        await reply.save(str(tmp_path / "moon.mp4"))
    assert [request.method for request in server.requests] == ["POST", "GET", "GET"]


async def test_a_download_that_breaks_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "moon.mp4").write_bytes(b"old")
    async with (
        scripted_http(CREATED, FILMED, Answer([b"half"], content_type="video/mp4", cut=True)) as server,
        AsyncClient(server.url) as client,
    ):
        with pytest.raises(Unreachable):
            await (await client.reply(say="Moon")).save(tmp_path / "moon.mp4")
    assert (tmp_path / "moon.mp4").read_bytes() == b"old"
    assert names(tmp_path) == ["moon.mp4"]


@pytest.mark.parametrize(("end", "why"), [(done(2, video_url=None), "spoken"), (CANCELLED, "cancelled")])
async def test_there_is_no_file_of_a_reply_without_video(tmp_path: Path, end: bytes, why: str) -> None:
    async with scripted_http(CREATED, Answer([ACCEPTED, end])) as server, AsyncClient(server.url) as client:
        with pytest.raises(NothingMade, match=why):
            await (await client.reply(say="🌙")).save(tmp_path / "moon.mp4")
    assert not names(tmp_path)
