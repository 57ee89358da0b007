"""POST, GET and DELETE of replies: work starts at the POST, and the client chooses how to hear of it."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response

from gateway.callers import Caller
from gateway.http.bodies import ReplyBody, reply_body
from gateway.http.entrance import caller_of
from gateway.http.ordering import ordered_reply
from gateway.http.problem_responses import problem_response
from gateway.http.request_bodies import FINISHED_OR_EVENTS, REPLY_BODY
from gateway.http.state import Gateway, gateway_of, unknown_reply
from gateway.http.streaming import NDJSON, ndjson_response, sse_response
from gateway.reply.addresses import reply_url
from gateway.reply.event_log import UnknownReply
from gateway.reply.snapshot import Reply, snapshot

router = APIRouter(prefix="/v1/replies", tags=["replies"])
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,5})(?:$|[,;\s])")


@router.post(
    "",
    status_code=202,
    response_model=Reply,
    responses={200: FINISHED_OR_EVENTS, 202: {"description": "The reply has been started."}},
    openapi_extra={"requestBody": REPLY_BODY},
)
async def ask_for_reply(
    gateway: Annotated[Gateway, Depends(gateway_of)],
    body: Annotated[ReplyBody, Depends(reply_body)],
    caller: Annotated[Caller, Depends(caller_of)],
    *,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
    prefer: Annotated[
        str,
        Header(
            alias="Prefer", description="`wait=60`: answer when the reply ends, or after so many seconds."
        ),
    ] = "",
    x_llm_api_key: Annotated[
        str,
        Header(
            alias="X-LLM-API-Key",
            max_length=500,
            description="Your own key of the language model's provider. It is never stored and never logged.",
        ),
    ] = "",
    idempotency_key: Annotated[
        str,
        Header(
            alias="Idempotency-Key",
            max_length=255,
            description="Sent again with the same body, it gives the same reply; nothing is paid twice.",
        ),
    ] = "",
) -> Response:
    """Ask for a reply.

    Work starts at once. The answer is the reply as it stands (202), its events where `Accept` asks for
    `text/event-stream` or `application/x-ndjson`, or the finished reply where `Prefer: wait` asks for it.
    """
    reply_id, repeated = await ordered_reply(gateway, body, caller, x_llm_api_key, idempotency_key)
    headers = {"Location": reply_url(reply_id)} | ({"Idempotent-Replayed": "true"} if repeated else {})
    if "text/event-stream" in accept:
        return sse_response(gateway, reply_id, 0, headers)
    if NDJSON in accept:
        return ndjson_response(gateway, reply_id, 0, headers)
    wait = _WAIT.search(prefer)
    if wait is not None:
        return await _waited(gateway, reply_id, int(wait[1]), headers)
    return await _answer(gateway, reply_id, 202, headers)


@router.get("/{reply_id}", response_model=Reply)
async def reply_as_it_stands(reply_id: str, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Response:
    """See how a reply stands."""
    return await _answer(gateway, reply_id, 200, {"Cache-Control": "no-store"})


@router.post("/{reply_id}/cancel", response_model=Reply)
async def cancel_reply(reply_id: str, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Response:
    """Cancel a running reply.

    Every stage stops; the answer is the reply after its last event. What has been made stays. A reply that
    has ended is left as it is, so that a cancellation that comes too late, or twice, does no harm.
    """
    await gateway.check_known(reply_id)
    await gateway.running.cancel(reply_id)
    return await _answer(gateway, reply_id, 200, {"Cache-Control": "no-store"})


@router.delete("/{reply_id}", status_code=204)
async def cancel_or_remove(reply_id: str, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Response:
    """Cancel a running reply, or remove a finished one.

    Running: every stage stops, its events and media stay. Finished: they are removed. Who only wants to stop
    does better with POST …/cancel: a reply may end while the request is on its way.
    """
    await gateway.check_known(reply_id)
    if not await gateway.running.cancel(reply_id):
        await gateway.log.remove(reply_id)
        await gateway.media.remove(reply_id)
    return Response(status_code=204)


async def _waited(gateway: Gateway, reply_id: str, seconds: int, headers: dict[str, str]) -> Response:
    """200 with the finished reply, its failure as the response, or 202 when the seconds have passed."""
    headers = headers | {"Preference-Applied": f"wait={seconds}"}
    ended = await _ended(gateway, reply_id, seconds)
    if ended is not None and ended.error is not None:
        return problem_response(ended.error, headers)
    return await _answer(gateway, reply_id, 202 if ended is None else 200, headers)


async def _ended(gateway: Gateway, reply_id: str, seconds: int) -> Reply | None:
    now = asyncio.get_running_loop().time
    deadline = now() + seconds
    seen = 0
    while (left := deadline - now()) > 0:
        try:
            events = await gateway.log.read(reply_id, seen, left)
        except UnknownReply:
            # Or this gateway is shutting down.
            return None
        for event in events:
            seen = event.id
            if event.terminal:
                return snapshot(reply_id, await gateway.log.read(reply_id))
    return None


async def _answer(gateway: Gateway, reply_id: str, status: int, headers: dict[str, str]) -> Response:
    try:
        events = await gateway.log.read(reply_id)
    except UnknownReply:
        raise unknown_reply() from None
    reply = snapshot(reply_id, events)
    content = gateway.signatures.signed(reply_id, reply.model_dump(mode="json"))
    return JSONResponse(content, status_code=status, headers=headers)
