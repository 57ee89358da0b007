"""Scripted answers go in, a real HTTP server that speaks OpenAI's speech endpoint comes out.

Wire format: https://platform.openai.com/docs/api-reference/audio/createSpeech. Each request takes one answer;
when none is left it gets a tone.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

SECONDS_PER_WORD = 0.3


@dataclass(frozen=True)
class Sound:
    """Status 200 and the pieces, one by one; then the end, or what `ending` says."""

    pieces: Sequence[bytes]
    content_type: str = "audio/pcm"
    # "end", "stall" (silence until the client goes away) or "break" (the connection ends before the body).
    ending: str = "end"


@dataclass(frozen=True)
class Refusal:
    """An error status with OpenAI's error body."""

    status: int
    code: str = "error"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Received:
    """One request as it came over the wire."""

    path: str
    headers: Mapping[str, str]
    body: Any


class OpenAiSpeechServer:
    """What was asked of it, and whether a client went away before its answer ended."""

    def __init__(self) -> None:
        self.url = ""
        self.received: list[Received] = []
        self.asked = asyncio.Event()
        self.client_left = asyncio.Event()
        self._answers: deque[Sound | Refusal] = deque()

    def will_answer(self, *answers: Sound | Refusal) -> None:
        """The next requests that have no answer yet get these, one each."""
        self._answers.extend(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers one request and closes the connection."""
        try:
            request = await _read_request(reader)
            self.received.append(request)
            self.asked.set()
            answer = self._answers.popleft() if self._answers else Sound([tone(len(_words(request)))])
            if isinstance(answer, Refusal):
                _write_refusal(writer, answer)
            else:
                await self._speak(answer, reader, writer)
            await writer.drain()
        except ConnectionError:
            self.client_left.set()
        finally:
            writer.close()

    async def _speak(self, sound: Sound, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {sound.content_type}\r\nConnection: close\r\n"
        writer.write(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        for piece in sound.pieces:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        if sound.ending == "stall":
            # Reading ends when the client closes its side.
            await reader.read()
            self.client_left.set()
        elif sound.ending == "end":
            writer.write(b"0\r\n\r\n")


@asynccontextmanager
async def openai_speech_server() -> AsyncIterator[OpenAiSpeechServer]:
    """The server on a free port; its URL is what TTS_OPENAI_BASE_URL takes."""
    speech = OpenAiSpeechServer()
    server = await asyncio.start_server(speech.serve, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()[:2]
    speech.url = f"http://{host}:{port}/v1"
    try:
        yield speech
    finally:
        server.close()


def tone(words: int, rate_hz: int = 24_000) -> bytes:
    """16-bit PCM that lasts as long as so many words."""
    time = np.arange(round(words * SECONDS_PER_WORD * rate_hz)) / rate_hz
    return (8_000 * np.sin(2 * np.pi * 220 * time)).astype("<i2").tobytes()


def _words(request: Received) -> list[str]:
    words: list[str] = request.body["input"].split()
    return words


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(first.split(" ")[1], headers, json.loads(body))


def _write_refusal(writer: asyncio.StreamWriter, refusal: Refusal) -> None:
    error = {"message": "the vendor's own words, with a key in them", "type": "error", "code": refusal.code}
    content = json.dumps({"error": error}).encode()
    lines = [f"HTTP/1.1 {refusal.status} Status", "Content-Type: application/json", "Connection: close"]
    lines += [
        f"Content-Length: {len(content)}",
        *(f"{name}: {value}" for name, value in refusal.headers.items()),
    ]
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)
