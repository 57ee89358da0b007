"""A reply's events from any position on, replayed and live: as SSE, as NDJSON, or over a WebSocket."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query, WebSocket, WebSocketDisconnect
from fastapi.responses import Response

from gateway.http.event_schemas import MESSAGE
from gateway.http.problem_responses import refusal_response
from gateway.http.state import Gateway, gateway_of
from gateway.http.streaming import (
    NDJSON,
    STREAM_OF_EVENTS,
    ndjson_response,
    sse_response,
    told_events,
)
from gateway.problems import RequestRefused

router = APIRouter(prefix="/v1/replies", tags=["events"])
Served = Annotated[Gateway, Depends(gateway_of)]
After = Annotated[int, Query(ge=0, description="Replay what came after this event id.")]


@router.get(
    "/{reply_id}/events",
    response_class=Response,
    responses={200: STREAM_OF_EVENTS, 204: {"description": "Up to date after the end: nothing more comes."}},
)
async def events_of_reply(  # noqa: PLR0917  FastAPI passes them by name
    reply_id: str,
    gateway: Served,
    after: After = 0,
    wait: Annotated[
        float | None,
        Query(ge=0, le=60, description="End once so many seconds pass without an event; 0: what there is."),
    ] = None,
    last_event_id: Annotated[
        str,
        Header(
            alias="Last-Event-ID", max_length=20, description="As `after`; EventSource sends it by itself."
        ),
    ] = "",
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Follow a reply's events.

    Everything after Last-Event-ID (or ?after=), then what follows, up to the terminal event: as server-sent
    events, or one JSON object per line where `Accept: application/x-ndjson` asks for that. Who cannot keep a
    connection open asks again and again with `wait`: a long poll of the same events.
    """
    if last_event_id:
        after = _position(last_event_id)
    if await _all_heard(gateway, reply_id, after):
        return Response(status_code=204)
    respond = ndjson_response if NDJSON in accept else sse_response
    return respond(gateway, reply_id, after, {}, wait)


@router.get(
    "/{reply_id}/socket",
    status_code=101,
    response_class=Response,
    responses={
        101: {
            "description": "Each event is a text frame of JSON, an `EventMessage`; the server closes after "
            "the terminal one. What a client sends is ignored.",
            "x-frame-schema": MESSAGE,
        }
    },
)
async def socket_of_events(reply_id: str, after: After = 0) -> Response:  # noqa: ARG001  the socket's own
    """Follow a reply's events over a WebSocket.

    Opened with the WebSocket handshake (`ws://` or `wss://`); any other request is told so with 426.
    """
    raise RequestRefused(
        426,
        "upgrade-required",
        "Open this address as a WebSocket, or read the events at …/events.",
        headers={"Upgrade": "websocket", "Connection": "Upgrade"},
    )


@router.websocket("/{reply_id}/socket")
async def socket_of_reply(websocket: WebSocket, reply_id: str, gateway: Served, after: After = 0) -> None:
    """The same events, each a text frame {id, event, data}; closed after the terminal event.

    What a client sends is ignored. The server pings; a reader that does not answer is closed.
    """
    try:
        await _all_heard(gateway, reply_id, after)
    except RequestRefused as refusal:
        await websocket.send_denial_response(refusal_response(refusal))
        return
    await websocket.accept()
    telling = asyncio.create_task(_told(websocket, gateway, reply_id, after))
    leaving = asyncio.create_task(_left(websocket))
    try:
        await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        telling.cancel()
        leaving.cancel()
        await asyncio.wait({telling, leaving})
    if not telling.cancelled():
        telling.result()


async def _told(websocket: WebSocket, gateway: Gateway, reply_id: str, after: int) -> None:
    """Sends at the reader's own pace: `send_text` waits while the connection's buffer is full."""
    with suppress(WebSocketDisconnect):
        async with aclosing(told_events(gateway, reply_id, after, "line")) as events:
            async for event in events:
                if event is not None:
                    await websocket.send_text(event.decode())
        await websocket.close()


async def _left(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass


async def _all_heard(gateway: Gateway, reply_id: str, after: int) -> bool:
    """Whether nothing comes after this event any more. Raises RequestRefused (404, 400)."""
    await gateway.check_known(reply_id)
    last = await gateway.log.last(reply_id)
    if last is None:
        return False
    if after > last.id and not last.terminal:
        raise RequestRefused(
            400, "unknown-event-id", f"There is no event {after} in this reply; the newest is {last.id}."
        )
    return last.terminal and after >= last.id


def _position(last_event_id: str) -> int:
    if not (last_event_id.isascii() and last_event_id.isdigit()):
        raise RequestRefused(400, "unknown-event-id", "Last-Event-ID must be the id of an event: a number.")
    return int(last_event_id)
