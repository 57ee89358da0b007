"""Whatever an application does, its clients get a problem, never a traceback, and bodies have a bound."""

from __future__ import annotations

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from gateway.http.middleware import GuardedRequests
from gateway.problems import RequestRefused
from gateway.settings import GatewaySettings


async def crashing(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("what the user wrote")


async def measuring(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        size = len(await Request(scope, receive).body())
    except RequestRefused as refusal:
        await PlainTextResponse(refusal.detail, refusal.status)(scope, receive, send)
    else:
        await PlainTextResponse(str(size))(scope, receive, send)


def client(app: GuardedRequests) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1")


async def test_a_crash_is_a_problem_without_its_inside(capsys: pytest.CaptureFixture[str]) -> None:
    async with client(GuardedRequests(crashing, GatewaySettings())) as http:
        response = await http.get("/")
    assert (response.status_code, response.json()["type"]) == (500, "unknown")
    assert response.json()["trace_id"] == response.headers["X-Trace-Id"]
    output = capsys.readouterr()
    assert "what the user wrote" not in response.text + output.out + output.err


@pytest.mark.parametrize(("size", "status"), [(2048, 200), (2049, 413), (500_000, 413)])
async def test_a_body_is_read_up_to_its_bound(size: int, status: int) -> None:
    async with client(GuardedRequests(measuring, GatewaySettings(max_body_bytes=2048))) as http:
        response = await http.post("/", content=b"x" * size)
    assert response.status_code == status


async def test_an_upload_has_a_bound_of_its_own() -> None:
    settings = GatewaySettings(max_body_bytes=2048, max_upload_bytes=8192)
    async with client(GuardedRequests(measuring, settings)) as http:
        response = await http.post("/", files={"audio": b"x" * 4096})
    assert response.status_code == 200


async def test_a_gateway_that_was_opened_answers_to_any_name() -> None:
    async with client(GuardedRequests(measuring, GatewaySettings(allow_open=True))) as http:
        assert (await http.get("/", headers={"Host": "face.example"})).status_code == 200


async def test_a_client_that_leaves_while_it_sends_is_no_crash(capsys: pytest.CaptureFixture[str]) -> None:
    async def leaving() -> Message:
        return {"type": "http.disconnect"}

    async def nobody(_message: Message) -> None:
        raise AssertionError("nobody is there to be answered")

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/replies",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }
    await GuardedRequests(measuring, GatewaySettings(allow_open=True))(scope, leaving, nobody)
    assert "crashed" not in capsys.readouterr().err
