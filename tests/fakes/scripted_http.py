"""Scripted answers go in, a real HTTP/1.1 server on loopback comes out that may cut a line anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request gets: the pieces are sent one by one; `cut` closes the line before the body ends."""

    pieces: Sequence[bytes] = ()
    status: int = 200
    content_type: str = "text/event-stream"
    cut: bool = False
    # The line stays open and silent after the last piece.
    hold: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """What the client asked: names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class ScriptedHttp:
    """The running server. `requests` grows in the order of arrival; `answers` are given in order."""

    answers: list[Answer]
    url: str = ""
    requests: list[Request] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for_request(self, method: str) -> Request:
        """The first request of that method, waiting for it."""
        async with self._news:
            await self._news.wait_for(lambda: any(request.method == method for request in self.requests))
        return next(request for request in self.requests if request.method == method)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request and closes the line."""
        try:
            request = await _request(reader)
            async with self._news:
                self.requests.append(request)
                self._news.notify_all()
            answer = self.answers.pop(0)
            head = f"HTTP/1.1 {answer.status} Scripted\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
            writer.write(f"{head}Content-Type: {answer.content_type}\r\n\r\n".encode())
            for piece in answer.pieces:
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
                await writer.drain()
            if answer.hold:
                await reader.read()
            elif not answer.cut:
                writer.write(b"0\r\n\r\n")
        finally:
            writer.close()


@asynccontextmanager
async def scripted_http(*answers: Answer) -> AsyncIterator[ScriptedHttp]:
    """Serves until the block ends."""
    server = ScriptedHttp(list(answers))
    listening = await asyncio.start_server(server.answer, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server


def sse(position: int, name: str, **data: Any) -> bytes:
    """One event as it is on the wire."""
    return f"id: {position}\nevent: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


async def _request(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    method, path, _ = head[0].split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Request(method, path, headers, body)
