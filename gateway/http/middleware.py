"""Requests go in bounded and traced, responses come out with security headers and never a traceback."""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.telemetry import TRACEPARENT

from gateway.http.problem_responses import problem_response
from gateway.problems import RequestRefused, problem_of
from gateway.reply.events import Problem
from gateway.settings import GatewaySettings
from gateway.tracing import current_trace_id, entered_trace
from gateway.visitors import refused_socket, refused_visit

log = structlog.get_logger()

_CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# A refused body is read on for a while: a client that is still sending would else see a reset.
_PATIENCE_BYTES = 32 << 20
# RFC 6455, section 7.4.1.
_INTERNAL_ERROR = 1011


class GuardedRequests:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, settings: GatewaySettings) -> None:
        self._app = app
        self._settings = settings
        # A key keeps other sites' pages out: their scripts do not have it, and browsers do not send it along.
        self._open_on_loopback = settings.needs_no_key and not settings.allow_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        guard = self._guard_request if scope["type"] == "http" else self._guard_socket
        traceparent = Headers(scope=scope).get(TRACEPARENT, "")
        with entered_trace(traceparent, scope.get("method", "GET"), scope["path"]):
            await guard(scope, receive, send)

    async def _guard_request(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        multipart = headers.get("content-type", "").lower().startswith("multipart/")
        settings = self._settings
        body = _BoundedBody(receive, settings.max_upload_bytes if multipart else settings.max_body_bytes)
        answered = False

        async def send_guarded(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                _guard(message, shared=bool(settings.origins))
            await send(message)

        refused = None
        if self._open_on_loopback:
            refused = refused_visit(scope["method"], headers, settings.origins)
        if refused is not None:
            await _forbidden(refused)(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, body.receive, send_guarded)
        except ClientDisconnect:
            log.info("client left while it was sending", path=scope["path"])
        except Exception as error:
            # The exception's text may quote what a user wrote: only its kind goes to the log.
            log.error("request crashed", path=scope["path"], error=type(error).__name__)  # noqa: TRY400
            if answered:
                raise
            failure = Failure(FailureType.UNKNOWN, "The gateway failed in a way it did not expect.")
            await problem_response(problem_of(failure, current_trace_id()))(scope, receive, send_guarded)

    async def _guard_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refused = refused_socket(headers, self._settings.origins)
        if self._open_on_loopback:
            refused = refused or refused_visit("GET", headers, self._settings.origins)
        if refused is not None:
            await _forbidden(refused)(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:
            log.error("socket crashed", path=scope["path"], error=type(error).__name__)  # noqa: TRY400
            with suppress(RuntimeError):
                await send({"type": "websocket.close", "code": _INTERNAL_ERROR})


class _BoundedBody:
    """Reads a request's body, at most so many bytes of it."""

    def __init__(self, receive: Receive, max_bytes: int) -> None:
        self._receive = receive
        self._max_bytes = max_bytes
        self._bytes = 0

    async def receive(self) -> MutableMapping[str, Any]:
        """ASGI's receive. Raises RequestRefused (413)."""
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        self._bytes += len(message.get("body", b""))
        if self._bytes > self._max_bytes:
            await self._read_on(message)
            raise RequestRefused(
                413, "too-long", f"The body may have at most {self._max_bytes:,} bytes; send less."
            )
        return message

    async def _read_on(self, message: Message) -> None:
        left = _PATIENCE_BYTES
        while message["type"] == "http.request" and message.get("more_body") and left > 0:
            message = await self._receive()
            left -= len(message.get("body", b""))


def _forbidden(detail: str) -> JSONResponse:
    return problem_response(
        Problem(type="forbidden", title="Forbidden", status=403, detail=detail, trace_id=current_trace_id())
    )


def _guard(message: Message, *, shared: bool) -> None:
    headers = MutableHeaders(scope=message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if shared:
        # Pages of listed sites show our videos; what they may read, CORS says.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    headers["X-Trace-Id"] = current_trace_id()
