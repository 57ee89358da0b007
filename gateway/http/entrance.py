"""A request's head goes in, the caller it comes from comes out, or the reason why it may not enter."""

from __future__ import annotations

import re

from fastapi.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send
from visavis.rpc.failures import Failure

from gateway.callers import NOBODY_IN_PARTICULAR, ApiKeys, Caller
from gateway.http.problem_responses import problem_response, refusal_response
from gateway.http.signing import PARAMETER, Signatures
from gateway.http.state import gateway_of, unknown_reply
from gateway.problems import RequestRefused, problem_of
from gateway.reply.addresses import ROOT
from gateway.reply.event_log import UnknownReply
from gateway.tracing import current_trace_id

_API = "/v1/"
_REPLIES = f"{ROOT}/"
# Pages show them without being able to send a header.
_PICTURE = re.compile(r"/v1/avatars/[^/]+/(?:poster\.jpg|idle\.mp4)")


def is_open(path: str) -> bool:
    """Whether nobody needs a key for the path, or for the route that is written so."""
    return not path.startswith(_API) or _PICTURE.fullmatch(path) is not None


class Entrance:
    """The one place where keys, signatures and ownership are checked."""

    def __init__(self, keys: ApiKeys, signatures: Signatures) -> None:
        self._keys = keys
        self._signatures = signatures

    async def caller(self, connection: HTTPConnection) -> Caller:
        """Who asks. Raises RequestRefused: 401, or 404 for what another key made."""
        path = connection.scope["path"]
        if not self._keys or is_open(path):
            return NOBODY_IN_PARTICULAR
        # Cut, not matched: routes take a line's end behind an address, which a pattern may not.
        reply_id = path.removeprefix(_REPLIES).partition("/")[0] if path.startswith(_REPLIES) else ""
        if reply_id and self._may_read(connection, reply_id):
            return NOBODY_IN_PARTICULAR
        caller = self._holder(connection)
        if reply_id:
            await _check_owner(connection, reply_id, caller)
        return caller

    def _may_read(self, connection: HTTPConnection, reply_id: str) -> bool:
        reads = connection.scope["type"] == "websocket" or connection.scope["method"] in ("GET", "HEAD")
        return reads and self._signatures.opens(connection.query_params.get(PARAMETER, ""), reply_id)

    def _holder(self, connection: HTTPConnection) -> Caller:
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        caller = self._keys.holder(secret.strip()) if scheme.lower() == "bearer" else None
        if caller is None:
            raise RequestRefused(
                401,
                "unauthorized",
                "Send an API key of this gateway as Authorization: Bearer <key>.",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return caller


class Admitted:
    """ASGI middleware: only requests that may enter reach the app, each with its caller."""

    def __init__(self, app: ASGIApp, entrance: Entrance) -> None:
        self._app = app
        self._entrance = entrance

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] in ("http", "websocket"):
            connection = HTTPConnection(scope)
            try:
                connection.state.caller = await self._entrance.caller(connection)
            except RequestRefused as refusal:
                await refusal_response(refusal)(scope, receive, send)
                return
            except Failure as failure:
                # Whose a reply is cannot be asked now.
                await problem_response(problem_of(failure, current_trace_id()))(scope, receive, send)
                return
        await self._app(scope, receive, send)


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks, as it was found at the entrance."""
    caller: Caller = connection.state.caller
    return caller


async def _check_owner(connection: HTTPConnection, reply_id: str, caller: Caller) -> None:
    try:
        owner = await gateway_of(connection).log.owner(reply_id)
    except UnknownReply:
        raise unknown_reply() from None
    if owner != caller.name:
        raise unknown_reply()
