"""Bad requests go in; each gets its own 4xx at once, names what is wrong, and reaches no stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, TypeAlias

import pytest
import pytest_asyncio

from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages, fake_stages

pytestmark = pytest.mark.asyncio(loop_scope="module")

JSON = {"Content-Type": "application/json"}
HELLO = {"say": "Hello."}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stages() -> AsyncIterator[FakeStages]:
    async with fake_stages() as served:
        yield served


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(
    stages: FakeStages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path_factory.mktemp("gateway")) as served:
        yield served


def user(content: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": content}]}


Refusal: TypeAlias = tuple[dict[str, Any], int, str, str]
# What is sent; status, type and words of the problem that answers.
BAD_FIELDS: list[Refusal] = [
    ({}, 422, "invalid-request", "exactly one"),
    (MOON | HELLO, 422, "invalid-request", "exactly one"),
    ({"messages": []}, 422, "invalid-request", "messages"),
    ({"messages": [{"role": "robot", "content": "x"}]}, 422, "invalid-request", "messages.0.role"),
    ({"messages": [{"role": "user"}]}, 422, "invalid-request", "messages.0.content"),
    (
        {"messages": [{"role": "user", "content": "x", "name": "y"}]},
        422,
        "invalid-request",
        "messages.0.name",
    ),
    (user("  "), 422, "invalid-request", "messages.0.content: This must hold more than white space"),
    ({"messages": [{"role": "system", "content": "x"}]}, 422, "invalid-request", "at least one user"),
    ({"say": ""}, 422, "invalid-request", "say"),
    ({"say": " \n"}, 422, "invalid-request", "white space"),
    ({"say": 5}, 422, "invalid-request", "say"),
    (HELLO | {"sing": True}, 422, "invalid-request", "sing: This field is not known here."),
    (MOON | {"temperature": 2.1}, 422, "invalid-request", "temperature"),
    (MOON | {"temperature": "hot"}, 422, "invalid-request", "temperature"),
    (MOON | {"presence_penalty": -3}, 422, "invalid-request", "presence_penalty"),
    (MOON | {"frequency_penalty": 3}, 422, "invalid-request", "frequency_penalty"),
    (MOON | {"max_tokens": 0}, 422, "invalid-request", "max_tokens"),
    (MOON | {"stop": ["a", "b", "c", "d", "e"]}, 422, "invalid-request", "stop"),
    (MOON | {"logit_bias": {"moon": 101}}, 422, "invalid-request", "logit_bias.moon"),
    (MOON | {"logit_bias": {"m" * 101: 1}}, 422, "invalid-request", "100 characters"),
    (HELLO | {"outputs": []}, 422, "invalid-request", "outputs"),
    (HELLO | {"outputs": ["smell"]}, 422, "invalid-request", "outputs.0"),
    (HELLO | {"language": "no language"}, 422, "invalid-request", "language"),
    (HELLO | {"language": "en-a1-b2-c3-d4"}, 422, "invalid-request", "language"),
    (HELLO | {"speaking_rate": 2.1}, 422, "invalid-request", "speaking_rate"),
    (HELLO | {"pitch_semitones": -12.5}, 422, "invalid-request", "pitch_semitones"),
    (HELLO | {"language": "tlh"}, 422, "unsupported-language", "tlh"),
    (HELLO | {"language": "zh", "voice": "hum-en"}, 422, "unsupported-language", "hum-en"),
    (HELLO | {"voice": "nobody"}, 422, "unknown-voice", "nobody"),
    (HELLO | {"avatar": "nobody"}, 422, "unknown-avatar", "nobody"),
    (MOON | {"model": "nobody"}, 422, "unknown-model", "nobody"),
    (user("moon " * 2_100), 422, "context-length-exceeded", "Leave out older messages"),
    ({"say": "x" * 10_001}, 413, "too-long", "10,000"),
    (user("x" * 100_001), 413, "too-long", "100,000"),
    ({"messages": [{"role": "user", "content": "x"}] * 201}, 413, "too-long", "200 messages"),
    ({"say": "x" * 2_000_000}, 413, "too-long", "1,048,576 bytes"),
]


@pytest.mark.parametrize("refusal", BAD_FIELDS)
async def test_a_bad_field_is_named(gateway: ServedGateway, stages: FakeStages, refusal: Refusal) -> None:
    body, status, type_, named = refusal
    response = await gateway.http.post("/v1/replies", json=body)
    problem = response.json()
    assert response.headers["Content-Type"] == "application/problem+json"
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, type_)
    assert named in problem["detail"]
    assert len(problem["trace_id"]) == 32
    assert problem["title"]
    assert stages.text.faults.calls == 0


@pytest.mark.parametrize(
    ("content", "headers", "status", "named"),
    [
        (b"", JSON, 400, "not valid JSON"),
        (b"{", JSON, 400, "line 1"),
        (b"[]", JSON, 400, "object"),
        (b"[" * 100_000, JSON, 400, "nested too deeply"),
        (b'{"max_tokens": 1' + b"0" * 5_000 + b"}", JSON, 400, "too many digits"),
        (b'{"say": "\xff"}', JSON, 400, "byte 9"),
        (b'{"messages": [{"role": "user", "content": "\\ud83d"}]}', JSON, 422, "messages.0.content"),
        (b'{"say": "Hello.", "logit_bias": {"\\ud83d": 1}}', JSON, 422, "unicode"),
        (b'{"say": "Hello."}', {"Content-Type": "text/plain"}, 415, "application/json"),
        (b"say=Hello", {"Content-Type": "application/x-www-form-urlencoded"}, 415, "application/json"),
        (b"--x", {"Content-Type": "multipart/form-data; boundary=x"}, 400, "request"),
        (b"", {"Content-Type": "multipart/form-data"}, 400, "multipart"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_with_a_sentence(
    gateway: ServedGateway, content: bytes, headers: dict[str, str], status: int, named: str
) -> None:
    response = await gateway.http.post("/v1/replies", content=content, headers=headers)
    assert response.status_code == status
    assert named in response.json()["detail"]
