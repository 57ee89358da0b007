"""An avatar that is being made goes in; its events come out, in the forms that a reply's events have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import structlog
from fastapi.responses import StreamingResponse
from fastapi.sse import KEEPALIVE_COMMENT
from visavis.rpc.failures import Failure, FailureType

from gateway.http.avatar_items import AvatarDone, AvatarProgress, avatar_item
from gateway.http.encoding import Form, encoded
from gateway.http.event_schemas import AVATAR_MESSAGE, AVATAR_SENT_EVENT
from gateway.http.problem_responses import refusal_problem
from gateway.http.streaming import HEADERS, NDJSON, EventStream
from gateway.problems import RequestRefused, problem_of
from gateway.reply.events import Event, LoggedEvent
from gateway.stages.building import BuildStep, Waiting
from gateway.stages.faces import Avatar
from gateway.tracing import current_trace_id

log = structlog.get_logger()

Making = AsyncGenerator[Waiting | BuildStep | Avatar, None]

_MOST_FRACTION = 0.99
_BETWEEN_SECONDS = 0.25
STREAM_OF_AVATAR_EVENTS: dict[str, Any] = {
    "description": "Where `Accept` asks for it: `progress` while the avatar is made, then `done` or `error`.",
    "content": {"text/event-stream": {"schema": AVATAR_SENT_EVENT}, NDJSON: {"schema": AVATAR_MESSAGE}},
}


def avatar_stream(making: Making, owner: str, accept: str, ping_seconds: float) -> StreamingResponse | None:
    """The events as `accept` wants them; None where it wants none. A client that leaves ends the work."""
    if "text/event-stream" in accept:
        return EventStream(_written(making, owner, "sse", ping_seconds), headers=HEADERS)
    if NDJSON in accept:
        content = _written(making, owner, "line", ping_seconds)
        return StreamingResponse(content, media_type=NDJSON, headers=HEADERS)
    return None


async def _written(
    making: Making, owner: str, form: Form, ping_seconds: float
) -> AsyncGenerator[bytes, None]:
    ping, end = (KEEPALIVE_COMMENT, b"") if form == "sse" else (b"\n", b"\n")
    position = 0
    async with aclosing(_with_pings(_events(making, owner), ping_seconds)) as events:
        async for event in events:
            if event is None:
                yield ping
            else:
                position += 1
                yield encoded(LoggedEvent(position, event.event_name, event.data()), form) + end


async def _with_pings(
    events: AsyncGenerator[Event, None], ping_seconds: float
) -> AsyncGenerator[Event | None, None]:
    """None whenever so many seconds have passed without an event."""
    coming: asyncio.Task[Event | None] | None = None
    try:
        while True:
            coming = coming or asyncio.create_task(_next(events))
            await asyncio.wait({coming}, timeout=ping_seconds)
            if not coming.done():
                yield None
                continue
            event, coming = coming.result(), None
            if event is None:
                return
            yield event
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.wait({coming})
        await events.aclose()


async def _next(events: AsyncGenerator[Event, None]) -> Event | None:
    return await anext(events, None)


async def _events(making: Making, owner: str) -> AsyncGenerator[Event, None]:
    """Progress, at most four times a second but for new steps, then one terminal event, whatever happens."""
    now = asyncio.get_running_loop().time
    step, fraction, again_at = "", 0.0, 0.0
    try:
        async with aclosing(making) as parts:
            async for part in parts:
                if isinstance(part, Avatar):
                    yield AvatarDone(**avatar_item(part, owner).model_dump())
                    return
                known, step = step, part.step if isinstance(part, BuildStep) else "waiting"
                if isinstance(part, BuildStep):
                    # A worker that died leaves the work to another, which begins anew.
                    fraction = max(fraction, min(part.fraction, _MOST_FRACTION))
                if step != known or now() >= again_at:
                    again_at = now() + _BETWEEN_SECONDS
                    yield AvatarProgress(step=step, fraction=fraction)
    except RequestRefused as refusal:
        yield refusal_problem(refusal)
    except Failure as failure:
        yield problem_of(failure, current_trace_id())
    except Exception as error:
        # Its text may quote what a user sent.
        log.error("avatar not made", error=type(error).__name__)  # noqa: TRY400
        unexpected = Failure(FailureType.UNKNOWN, "The gateway failed in a way it did not expect.")
        yield problem_of(unexpected, current_trace_id())
