"""Scripted answers go in, a real HTTP server that speaks OpenAI's streaming chat completions comes out.

Wire format: https://platform.openai.com/docs/api-reference/chat/streaming. Each request takes one answer.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self


@dataclass(frozen=True)
class Delta:
    """A chunk with text."""

    text: str


@dataclass(frozen=True)
class Pause:
    """What a model takes for a token."""

    seconds: float


@dataclass(frozen=True)
class Finish:
    """The chunk with the finish reason."""

    reason: str = "stop"


@dataclass(frozen=True)
class UsageChunk:
    """The chunk that `stream_options.include_usage` asks for: no choices, only counts."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class ErrorEvent:
    """An error in the middle of the stream, after status 200."""

    code: str


@dataclass(frozen=True)
class Malformed:
    """A data line that is no JSON."""

    line: str = '{"choices": [{"del'


@dataclass(frozen=True)
class Stall:
    """Silence, until the client goes away."""


@dataclass(frozen=True)
class BreakOff:
    """The connection ends in the middle of the stream."""


Step = Delta | Pause | Finish | UsageChunk | ErrorEvent | Malformed | Stall | BreakOff


@dataclass(frozen=True)
class Answer:
    """Status 200 and a stream of events, ended by [DONE] unless a step ends it sooner."""

    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Refusal:
    """An error status with OpenAI's error body."""

    status: int
    code: str = "error"
    headers: Mapping[str, str] = field(default_factory=dict)
    param: str | None = None
    type: str = "error"


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Any


class OpenAiServer:
    """What was asked of it, and whether a client went away before its answer ended."""

    def __init__(self) -> None:
        self.url = ""
        self.models = ["gpt-4o-mini"]
        # What it counts for every prompt; None: it has no such method.
        self.input_tokens: int | None = None
        self.received: list[Received] = []
        self.client_left = asyncio.Event()
        self._answers: deque[Answer | Refusal] = deque()

    def will_answer(self, *steps: Step) -> None:
        """The next request that has no answer yet gets these steps."""
        self._answers.append(Answer(steps))

    def forget(self) -> None:
        """Back to a server that nobody has asked, and that has no answers."""
        self.received.clear()
        self._answers.clear()

    def answer_to(self, request: Received) -> Answer | Refusal:
        """What this request gets."""
        return self._answers.popleft()

    def will_refuse(self, refusal: Refusal, times: int = 1) -> None:
        """The next requests get this refusal."""
        self._answers.extend([refusal] * times)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Self]:
        """Serves on a free port of the loopback interface."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = server.sockets[0].getsockname()[:2]
        self.url = f"http://{host}:{port}/v1"
        try:
            yield self
        finally:
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await _read_request(reader)
            self.received.append(request)
            if request.path.endswith("/models"):
                _write_json(writer, 200, {"object": "list", "data": [{"id": m} for m in self.models]}, {})
            elif request.path.endswith("/responses/input_tokens"):
                self._count(writer)
            else:
                await self._answer(self.answer_to(request), reader, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            self.client_left.set()
        finally:
            writer.close()

    def _count(self, writer: asyncio.StreamWriter) -> None:
        if self.input_tokens is None:
            _write_json(writer, 404, {"error": {"message": "no such method"}}, {})
        else:
            counted = {"object": "response.input_tokens", "input_tokens": self.input_tokens}
            _write_json(writer, 200, counted, {})

    async def _answer(
        self, answer: Answer | Refusal, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if isinstance(answer, Refusal):
            error = {"message": "refused", "type": answer.type, "param": answer.param, "code": answer.code}
            _write_json(writer, answer.status, {"error": error}, answer.headers)
            return
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")
        writer.write(b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n")
        for step in answer.steps:
            if isinstance(step, BreakOff):
                return
            if isinstance(step, Stall):
                # Reading ends when the client closes its side.
                await reader.read()
                self.client_left.set()
                return
            if isinstance(step, Pause):
                await asyncio.sleep(step.seconds)
                continue
            _write_event(writer, step.line if isinstance(step, Malformed) else json.dumps(_payload(step)))
            await writer.drain()
        _write_event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")


def _payload(step: Delta | Finish | UsageChunk | ErrorEvent) -> dict[str, Any]:
    if isinstance(step, ErrorEvent):
        return {"error": {"message": "failed", "type": "server_error", "param": None, "code": step.code}}
    chunk: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 0,
        "model": "gpt-4o-mini",
        "choices": [],
        "usage": None,
    }
    if isinstance(step, UsageChunk):
        total = step.prompt_tokens + step.completion_tokens
        chunk["usage"] = {
            "prompt_tokens": step.prompt_tokens,
            "completion_tokens": step.completion_tokens,
            "total_tokens": total,
        }
    elif isinstance(step, Delta):
        chunk["choices"] = [{"index": 0, "delta": {"content": step.text}, "finish_reason": None}]
    else:
        chunk["choices"] = [{"index": 0, "delta": {}, "finish_reason": step.reason}]
    return chunk


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Received(method, path, headers, json.loads(body) if body else None)


def _write_event(writer: asyncio.StreamWriter, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")


def _write_json(writer: asyncio.StreamWriter, status: int, body: Any, headers: Mapping[str, str]) -> None:
    content = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Status", "Content-Type: application/json", "Connection: close"]
    lines += [f"Content-Length: {len(content)}", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
