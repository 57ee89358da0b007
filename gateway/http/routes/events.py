"""GET of a reply's events: SSE from any position, replayed and live, or NDJSON where Accept asks for it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response

from gateway.http.state import Gateway, gateway_of
from gateway.http.streaming import NDJSON, EventStream, ndjson_response, sse_response
from gateway.problems import RequestRefused
from gateway.reply.events import AnyEvent

router = APIRouter(prefix="/v1/replies", tags=["events"])


@router.get(
    "/{reply_id}/events",
    response_class=EventStream,
    responses={
        200: {"model": AnyEvent, "description": "id, event and data of each event; data is JSON."},
        204: {"description": "Up to date after the end."},
    },
)
async def events_of_reply(
    reply_id: str,
    gateway: Annotated[Gateway, Depends(gateway_of)],
    after: Annotated[int, Query(ge=0, description="Replay what came after this event id.")] = 0,
    last_event_id: Annotated[str, Header(max_length=20)] = "",
    accept: Annotated[str, Header()] = "",
) -> Response:
    """Everything after Last-Event-ID (or ?after=), then what follows, up to the terminal event."""
    await gateway.check_known(reply_id)
    if last_event_id:
        after = _position(last_event_id)
    last = await gateway.log.last(reply_id)
    if last is not None and last.terminal and after >= last.id:
        return Response(status_code=204)
    if last is not None and after > last.id:
        raise RequestRefused(
            400, "unknown-event-id", f"There is no event {after} in this reply; the newest is {last.id}."
        )
    respond = ndjson_response if NDJSON in accept else sse_response
    return respond(gateway.log, reply_id, after, gateway.settings.ping_seconds, {})


def _position(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        raise RequestRefused(400, "unknown-event-id", "Last-Event-ID must be the id of an event: a number.")
    return int(last_event_id)
