"""The Python client, with a key and without asyncio or with it, does all that the gateway offers."""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from visavis_client import AsyncClient, Avatar, AvatarProgress, Client, Problem

from tests.fakes import fragments
from tests.fakes.avatar_builds import REFUSAL
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import FakeStages

KEY = "key-of-ann"
OTHER_KEY = "key-of-bob"
EXAMPLES = re.findall(
    r"```python\n(.*?)```", (Path(__file__).parents[2] / "docs" / "python.md").read_text(), re.DOTALL
)
LINES = ";".join(
    f"{name} {hashlib.sha256(key.encode()).hexdigest()}" for name, key in (("ann", KEY), ("bob", OTHER_KEY))
)


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path / "gateway", api_keys=LINES) as served:
        yield served


async def test_everything_is_asked_for_with_the_key(gateway: ServedGateway, tmp_path: Path) -> None:
    async with AsyncClient(str(gateway.http.base_url), api_key=KEY) as client:
        assert [model.id for model in await client.models()] == ["tiny"]
        assert [avatar.id for avatar in await client.avatars()] == ["grey"]
        assert len(await client.voices()) == 2
        assert [network.name for network in await client.networks()] == ["plain"]
        assert (await client.count_tokens([{"role": "user", "content": "one two"}])).prompt_tokens == 8
        reply = await client.reply(say="Hello.")
        assert [event.type async for event in reply][-1] == "done"
        await reply.save(tmp_path / "a.mp4")
        await reply.save(tmp_path / "a.wav", "audio")
        await reply.save(tmp_path / "a.vtt", "captions")
        assert (tmp_path / "a.wav").read_bytes().startswith(b"RIFF")
        assert (tmp_path / "a.vtt").read_text().startswith("WEBVTT")
        again = client.reply_of(reply.id)
        assert (await again.done()).status == "completed"
        await again.cancel()
        await again.save(tmp_path / "b.mp4")
        assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()
        await again.remove()
        with pytest.raises(Problem, match="no longer kept"):
            await client.reply_of(reply.id).done()


async def test_the_same_without_asyncio(gateway: ServedGateway, tmp_path: Path) -> None:
    def asked() -> str:
        with Client(str(gateway.http.base_url), api_key=KEY) as client:
            assert [avatar.id for avatar in client.avatars()] == ["grey"]
            assert [network.name for network in client.networks()] == ["plain"]
            assert client.count_tokens([{"role": "user", "content": "one two"}]).prompt_tokens == 8
            reply = client.reply(say="Hello.")
            assert [event.type for event in reply][-1] == "done"
            reply.save(tmp_path / "a.mp4")
            client.reply_of(reply.id).cancel()
            client.reply_of(reply.id).save(tmp_path / "b.mp4")
            return reply.id

    reply_id = await asyncio.to_thread(asked)
    assert (tmp_path / "b.mp4").read_bytes() == (tmp_path / "a.mp4").read_bytes()
    async with AsyncClient(str(gateway.http.base_url), api_key=OTHER_KEY) as stranger:
        with pytest.raises(Problem) as refused:
            await stranger.reply_of(reply_id).done()
        assert refused.value.status == 404


async def test_an_avatar_is_watched_while_it_is_made(gateway: ServedGateway, tmp_path: Path) -> None:
    photo, letter = tmp_path / "photo.jpg", tmp_path / "letter.jpg"
    photo.write_bytes(fragments.poster())
    letter.write_bytes(b"Dear Ann,")
    steps: list[AvatarProgress] = []

    def added_without_asyncio() -> Avatar:
        with Client(str(gateway.http.base_url), api_key=KEY) as client:
            with pytest.raises(Problem, match=REFUSAL):
                client.add_avatar(letter, "Bo", consent=True)
            return client.add_avatar(photo, "Bo", consent=True, watcher=steps.append)

    assert (await asyncio.to_thread(added_without_asyncio)).id == "bo"
    assert {"waiting", "face", "loop"} <= {progress.step for progress in steps}
    async with AsyncClient(str(gateway.http.base_url), api_key=KEY) as client:
        with pytest.raises(Problem, match=REFUSAL):
            await client.add_avatar(letter, "Ada", consent=True)
        with pytest.raises(Problem, match="consent=true"):
            await client.add_avatar(photo, "Ada", consent=False)
        with pytest.raises(Problem, match="There is an avatar bo already"):
            await client.add_avatar(photo, "Bo", consent=True)
        again: list[AvatarProgress] = []
        assert (await client.add_avatar(photo, "Ada", consent=True, watcher=again.append)).name == "Ada"
        assert [progress.fraction for progress in again] == sorted(p.fraction for p in again)
        assert {avatar.id for avatar in await client.avatars()} == {"grey", "bo", "ada"}
        await client.remove_avatar("ada")


@pytest.mark.parametrize("key", [None, "wrong"])
async def test_without_the_right_key_nothing_is_told(gateway: ServedGateway, key: str | None) -> None:
    async with AsyncClient(str(gateway.http.base_url), api_key=key) as client:
        for asked in (
            client.models(),
            client.avatars(),
            client.reply(say="Hello."),
            client.reply_of("a").done(),
        ):
            with pytest.raises(Problem) as refused:
                await asked
            assert (refused.value.status, refused.value.type) == (401, "unauthorized")


@pytest.mark.parametrize(("number", "told", "made"), [(0, "moon", "moon.mp4"), (1, "done", "hello.wav")])
async def test_the_documented_examples_run_as_they_stand(
    gateway: ServedGateway, tmp_path: Path, number: int, told: str, made: str
) -> None:
    address = str(gateway.http.base_url)
    program = EXAMPLES[number].replace("http://127.0.0.1:8000", address).replace("your key", KEY)
    command = [sys.executable, "-c", program]
    run = await asyncio.to_thread(subprocess.run, command, cwd=tmp_path, capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert told in run.stdout
    assert (tmp_path / made).stat().st_size > 0
