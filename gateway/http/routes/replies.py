"""POST, GET and DELETE of replies: work starts at the POST, and the client chooses how to hear of it."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response

from gateway.callers import Caller
from gateway.http.bodies import ReplyBody, reply_body
from gateway.http.entrance import caller_of
from gateway.http.ordering import ordered_reply
from gateway.http.problem_responses import problem_response
from gateway.http.state import Gateway, gateway_of, unknown_reply
from gateway.http.streaming import NDJSON, ndjson_response, sse_response
from gateway.reply.addresses import reply_url
from gateway.reply.event_log import UnknownReply
from gateway.reply.snapshot import Reply, snapshot
from gateway.requests import ReplyRequest

router = APIRouter(prefix="/v1/replies", tags=["replies"])
_WAIT = re.compile(r"(?:^|[,;\s])wait=(\d{1,5})(?:$|[,;\s])")

_POST_DOCUMENTATION: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {"schema": ReplyRequest.model_json_schema()},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["request", "audio"],
                    "properties": {
                        "request": {"type": "string", "description": "The JSON of the request."},
                        "audio": {"type": "string", "format": "binary", "description": "Speech: WAV, MP3 …"},
                    },
                }
            },
        },
    }
}


@router.post("", status_code=202, response_model=Reply, openapi_extra=_POST_DOCUMENTATION)
async def ask_for_reply(
    gateway: Annotated[Gateway, Depends(gateway_of)],
    body: Annotated[ReplyBody, Depends(reply_body)],
    caller: Annotated[Caller, Depends(caller_of)],
    *,
    accept: Annotated[str, Header()] = "",
    prefer: Annotated[str, Header()] = "",
    x_llm_api_key: Annotated[str, Header(max_length=500)] = "",
    idempotency_key: Annotated[str, Header(max_length=255)] = "",
) -> Response:
    """Starts a reply. Answers 202 at once, or with the events themselves where Accept asks for them.

    Sent again with the same Idempotency-Key and body, it answers with the same reply; nothing is paid twice.
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
    """The reply as it stands."""
    return await _answer(gateway, reply_id, 200, {"Cache-Control": "no-store"})


@router.delete("/{reply_id}", status_code=204)
async def cancel_or_remove(reply_id: str, gateway: Annotated[Gateway, Depends(gateway_of)]) -> Response:
    """Cancels a running reply (its log and media stay); removes a finished one."""
    await gateway.check_known(reply_id)
    if reply_id in gateway.running:
        await gateway.running.cancel(reply_id)
    else:
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
        for event in await gateway.log.read(reply_id, seen, left):
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
