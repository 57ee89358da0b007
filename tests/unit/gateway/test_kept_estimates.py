"""What one run learned, the next one knows; a broken file or folder costs that and nothing more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from gateway.reply.estimates import Estimates
from gateway.reply.kept_estimates import kept_estimates, loaded
from gateway.reply.learned import Rate


async def test_the_next_run_knows_what_the_last_one_learned(tmp_path: Path) -> None:
    file = tmp_path / "data" / "estimates.json"
    async with kept_estimates(file) as estimates:
        estimates.learn(Rate.SPEAKING_SECONDS, "zh/ling", 1.25)
    async with kept_estimates(file) as estimates:
        assert estimates.rate(Rate.SPEAKING_SECONDS, "zh/ling") == 1.25
        assert estimates.rate(Rate.SPEAKING_SECONDS, "never heard") == 1.25
    assert [path.name for path in file.parent.iterdir()] == ["estimates.json"]


async def test_it_is_written_while_the_process_runs(tmp_path: Path) -> None:
    file = tmp_path / "estimates.json"
    async with kept_estimates(file, save_seconds=0.01) as estimates:
        estimates.learn(Rate.REPLY_CHARACTERS, "tiny", 300)
        while not file.exists():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert loaded(file).rate(Rate.REPLY_CHARACTERS, "tiny") == 300


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}[",
        b"\xff",
        b'[["no such rate", "x", 1]]',
        b'[["reply_characters", "x", "many"]]',
        b"[1]",
        b'[["reply_characters", "", -5]]',
        b'[["reply_characters", "", NaN]]',
        b"null",
    ],
)
def test_a_broken_file_means_to_learn_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "estimates.json"
    file.write_bytes(content)
    seeded = Estimates().rate(Rate.REPLY_CHARACTERS, "x")
    assert loaded(file).rate(Rate.REPLY_CHARACTERS, "x") == seeded


async def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.touch()
    async with kept_estimates(in_the_way / "estimates.json") as estimates:
        estimates.learn(Rate.REPLY_CHARACTERS, "tiny", 300)


async def test_where_media_lie_in_a_bucket_nothing_is_kept() -> None:
    async with kept_estimates(None) as estimates:
        assert not estimates.learned
