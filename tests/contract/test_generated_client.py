"""The description goes in as served; a client that a generator makes of it type-checks and makes a reply."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from gateway.http.app import gateway_app
from gateway.settings import GatewaySettings
from tests.fakes import fragments
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import fake_stages

PAGE = (Path(__file__).parents[2] / "docs" / "generated-clients.md").read_text()
CONFIG, COMMAND, PROGRAM = (
    re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)[0] for kind in ("yaml", "sh", "python")
)
SCHEMAS = gateway_app(GatewaySettings()).openapi()["components"]["schemas"]
TOOLS = Path(sys.executable).parent

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ServedGateway]:
    async with fake_stages() as stages, served_gateway(stages, tmp_path_factory.mktemp("gateway")) as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(gateway: ServedGateway, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the documented command has made a client."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "generator.yaml").write_text(CONFIG)
    said = await run(folder, *at(gateway, COMMAND).split())
    assert "warning" not in said.lower()
    return folder


def at(gateway: ServedGateway, example: str) -> str:
    return example.replace("http://127.0.0.1:8000", str(gateway.http.base_url))


async def run(folder: Path, tool: str, *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        TOOLS / tool,
        *arguments,
        cwd=folder,
        env=os.environ | {"PATH": f"{TOOLS}:{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_it_and_the_documented_program_are_clean_under_strict_types(folder: Path) -> None:
    (folder / "program.py").write_text(PROGRAM)
    made = ["visavis_gateway_client/api", "visavis_gateway_client/models"]
    # What the generator brings along itself is not of our making.
    await run(folder, "mypy", "--strict", "--follow-imports=silent", *made, "program.py")


async def test_the_documented_program_makes_a_reply(gateway: ServedGateway, folder: Path) -> None:
    said = await run(folder, "python", "-c", at(gateway, PROGRAM))
    assert "can be played: /v1/replies/" in said
    assert re.search(r"done: \d+\.\d+ s", said)
    assert (folder / "hello.mp4").read_bytes()[4:8] == b"ftyp"


@pytest.mark.parametrize("told_of", ["reply", "avatar"])
async def test_it_knows_every_member_of_every_event(
    gateway: ServedGateway, folder: Path, monkeypatch: pytest.MonkeyPatch, told_of: str
) -> None:
    monkeypatch.syspath_prepend(folder)
    models = importlib.import_module("visavis_gateway_client.models")
    described = SCHEMAS["EventMessage" if told_of == "reply" else "AvatarEventMessage"]
    lines = (await streamed(gateway, told_of)).splitlines()
    told = [json.loads(line) for line in lines if line]
    mapping = described["discriminator"]["mapping"]
    assert {message["event"] for message in told} == set(mapping) - {"error"}
    for message in told:
        event = getattr(models, mapping[message["event"]].rpartition("/")[2]).from_dict(message)
        assert not event.additional_properties
        assert not event.data.additional_properties
        assert event.to_dict() == message


async def streamed(gateway: ServedGateway, told_of: str) -> str:
    lines = {"Accept": "application/x-ndjson"}
    if told_of == "reply":
        return (await gateway.http.post("/v1/replies", json=MOON, headers=lines)).text
    photo = {"image": ("photo.jpg", fragments.poster(), "image/jpeg")}
    body = {"name": "Ada", "consent": "true"}
    return (await gateway.http.post("/v1/avatars", data=body, files=photo, headers=lines)).text
