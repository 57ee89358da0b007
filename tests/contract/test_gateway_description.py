"""The gateway's own description goes in; requests made of it, and answers held against it, come out well."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from gateway.http.app import gateway_app
from gateway.reply.events import EVENTS
from gateway.settings import GatewaySettings
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import fake_stages

DESCRIPTION = gateway_app(GatewaySettings()).openapi()
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
EXAMPLES: list[tuple[str, dict[str, Any]]] = [
    (path, example["value"])
    for path, operations in DESCRIPTION["paths"].items()
    for operation in operations.values()
    for content in operation.get("requestBody", {}).get("content", {}).values()
    for example in content.get("examples", {}).values()
]


@pytest_asyncio.fixture
async def gateway(tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with fake_stages() as stages, served_gateway(stages, tmp_path) as served:
        yield served


@pytest.mark.slow
@pytest.mark.timeout(480)
async def test_nothing_that_schemathesis_thinks_of_is_answered_otherwise_than_described(
    gateway: ServedGateway, tmp_path: Path
) -> None:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("run", f"{gateway.http.base_url}/openapi.json", "--checks", ",".join(CHECKS)),
        *("--phases", "examples,coverage,fuzzing", "--max-examples", "5", "--generation-deterministic"),
        *("--request-timeout", "240", "--continue-on-failure", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()[-9000:]


@pytest.mark.parametrize(("path", "body"), EXAMPLES)
async def test_every_example_can_be_sent_as_it_stands(
    gateway: ServedGateway, path: str, body: dict[str, Any]
) -> None:
    response = await gateway.http.post(path, json=body, headers={"Prefer": "wait=60"})
    assert response.status_code == 200, response.text
    assert response.json().get("status", "completed") == "completed"


def test_examples_show_what_can_be_set() -> None:
    shown = {name for _, body in EXAMPLES for name in body}
    assert {"messages", "say", "temperature", "stop", "logit_bias", "language", "outputs"} <= shown


async def test_every_event_that_is_told_is_described(gateway: ServedGateway) -> None:
    mapping = DESCRIPTION["components"]["schemas"]["EventMessage"]["discriminator"]["mapping"]
    assert list(mapping) == [kind.event_name for kind in EVENTS]
    ndjson = {"Accept": "application/x-ndjson"}
    answered = await gateway.http.post("/v1/replies", json=MOON, headers=ndjson)
    told = [json.loads(line) for line in answered.text.splitlines() if line]
    assert {message["event"] for message in told} == set(mapping) - {"error"}
    kinds = {kind.event_name: kind for kind in EVENTS}
    for message in told:
        kind = kinds[message["event"]]
        kind.model_validate(message["data"])
        assert set(message["data"]) <= set(kind.model_fields)


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DESCRIPTION):
        place: Any = DESCRIPTION
        for name in reference.removeprefix("#/").split("/"):
            place = place[name]
        assert place


def test_operations_have_names_of_their_own_and_say_what_they_do() -> None:
    operations = [o for path in DESCRIPTION["paths"].values() for o in path.values()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    assert all(operation["summary"] and operation["description"] for operation in operations)


async def test_a_plain_request_for_the_socket_is_told_to_upgrade(gateway: ServedGateway) -> None:
    refused = await gateway.http.get("/v1/replies/any/socket")
    assert (refused.status_code, refused.headers["Upgrade"]) == (426, "websocket")
    assert refused.json()["type"] == "upgrade-required"


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(reference := part.get("$ref"), str):
            yield reference
        yield from references(list(part.values()))
        yield from references(list(part.get("discriminator", {}).get("mapping", {}).values()))
    elif isinstance(part, list):
        for item in part:
            yield from references(item)
    elif isinstance(part, str) and part.startswith("#/"):
        yield part
