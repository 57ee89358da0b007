"""A reply's log goes in, a streaming response comes out: SSE or NDJSON, from any position on."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event

from gateway.http.encoding import Form
from gateway.http.event_schemas import MESSAGE, SENT_EVENT
from gateway.http.state import Gateway
from gateway.reply.event_log import followed

# Proxies must hand every event on at once.
HEADERS = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
_RETRY_MILLISECONDS = 1_000
NDJSON = "application/x-ndjson"
STREAM_OF_EVENTS: dict[str, Any] = {
    "description": "The events as they are made. Server-sent events have the `id`, the `event` and the "
    "`data` of a `ServerSentEvent`; of NDJSON each line is an `EventMessage`, and a blank one means nothing.",
    "content": {"text/event-stream": {"schema": SENT_EVENT}, NDJSON: {"schema": MESSAGE}},
}


class EventStream(StreamingResponse):
    """Server-sent events. FastAPI's own class would take the route itself for the generator of events."""

    media_type = "text/event-stream"


def sse_response(
    gateway: Gateway, reply_id: str, after: int, headers: dict[str, str], wait_seconds: float | None = None
) -> EventStream:
    """The events after `after` as text/event-stream; ends after the terminal one.

    With `wait_seconds` it ends as soon as so many have passed without an event.
    """
    return EventStream(_sse(gateway, reply_id, after, wait_seconds), headers=HEADERS | headers)


def ndjson_response(
    gateway: Gateway, reply_id: str, after: int, headers: dict[str, str], wait_seconds: float | None = None
) -> StreamingResponse:
    """The same events, one JSON object {id, event, data} per line; blank lines keep the connection alive."""
    content = _ndjson(gateway, reply_id, after, wait_seconds)
    return StreamingResponse(content, media_type=NDJSON, headers=HEADERS | headers)


async def told_events(
    gateway: Gateway, reply_id: str, after: int, form: Form, wait_seconds: float | None = None
) -> AsyncGenerator[bytes | None, None]:
    """The events after `after` as clients get them; None when it is time for a ping."""
    idle_seconds, most_idle = gateway.settings.ping_seconds, math.inf
    if wait_seconds is not None:
        # In equal parts: all of them together last as long as was asked for.
        most_idle = max(1, math.ceil(wait_seconds / idle_seconds))
        idle_seconds = wait_seconds / most_idle
    idle = 0
    async with aclosing(followed(gateway.log, reply_id, after, idle_seconds)) as events:
        async for event in events:
            if event is None:
                idle += 1
                if idle >= most_idle:
                    return
                yield None
            else:
                idle = 0
                yield gateway.encoded.bytes_of(reply_id, event, form, gateway.signatures)


async def _sse(
    gateway: Gateway, reply_id: str, after: int, wait_seconds: float | None
) -> AsyncGenerator[bytes, None]:
    yield format_sse_event(retry=_RETRY_MILLISECONDS)
    async with aclosing(told_events(gateway, reply_id, after, "sse", wait_seconds)) as events:
        async for event in events:
            yield KEEPALIVE_COMMENT if event is None else event


async def _ndjson(
    gateway: Gateway, reply_id: str, after: int, wait_seconds: float | None
) -> AsyncGenerator[bytes, None]:
    # nginx keeps the headers of an HTTP/2 answer back until its first byte.
    yield b"\n"
    async with aclosing(told_events(gateway, reply_id, after, "line", wait_seconds)) as events:
        async for event in events:
            yield b"\n" if event is None else event + b"\n"
