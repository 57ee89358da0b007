"""Failures go in, RFC 9457 problem details come out: one table of status and title for every type."""

from __future__ import annotations

import math
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from visavis.rpc.failures import Failure, FailureType

from gateway.events import Problem
from gateway.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"
_TOLD_IN_FULL = 5
_MOST_ERRORS = 50

_TABLE: dict[FailureType, tuple[int, str]] = {
    FailureType.INVALID_REQUEST: (422, "The request is not valid"),
    FailureType.NOTHING_SPEAKABLE: (422, "There is nothing to say in this text"),
    FailureType.UNKNOWN_AVATAR: (422, "There is no such avatar"),
    FailureType.UNKNOWN_MODEL: (422, "There is no such model"),
    FailureType.UNKNOWN_NETWORK: (422, "There is no such lip-sync network"),
    FailureType.UNKNOWN_VOICE: (422, "There is no such voice"),
    FailureType.UNSUPPORTED_LANGUAGE: (422, "This language is not spoken here"),
    FailureType.UNSUPPORTED_SETTING: (422, "This setting is not supported here"),
    FailureType.CONTEXT_LENGTH_EXCEEDED: (422, "The conversation is longer than the model can read"),
    FailureType.TOO_LONG: (413, "The text or speech is too long"),
    FailureType.CALLER_KEY_INVALID: (403, "The provider refused your key"),
    FailureType.SITE_QUOTA_EXHAUSTED: (429, "This site's quota is used up"),
    FailureType.RATE_LIMITED: (429, "Too many requests"),
    FailureType.BUSY: (429, "Everything is busy"),
    FailureType.AVATAR_MISSING: (503, "The avatar is not there yet"),
    FailureType.STAGE_UNAVAILABLE: (503, "A part of the service is out of reach"),
    FailureType.UPSTREAM_UNAVAILABLE: (502, "A provider behind the service failed"),
    FailureType.DEADLINE_EXCEEDED: (504, "It took too long"),
    FailureType.INTERRUPTED: (503, "The reply was interrupted"),
    FailureType.UNKNOWN: (500, "Something went wrong"),
}


class FieldsRefused(Exception):
    """A request was read, but fields of it are wrong: each is named. `errors` holds {field, detail}."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        sentences = [
            f"{error['field']}: {error['detail']}" if error["field"] else error["detail"] for error in errors
        ]
        self.detail = "; ".join(sentences[:_TOLD_IN_FULL])
        super().__init__(self.detail)
        self.errors = errors[:_MOST_ERRORS]


class RequestRefused(Exception):
    """A request that HTTP itself has a status for (400, 404, 406, 409, 413, 415, 416 …)."""

    def __init__(
        self, status: int, type_: str, detail: str, *, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.type = type_
        self.detail = detail
        self.headers = headers or {}


def problem_of(failure: Failure, trace_id: str = "") -> Problem:
    """What clients are told of a failure, as a response's body or as the terminal event."""
    status, title = _TABLE[failure.type]
    return Problem(
        type=failure.type.value,
        title=title,
        status=status,
        detail=failure.detail,
        trace_id=trace_id,
        stage=failure.stage or None,
        retry_after_seconds=failure.retry_after_seconds,
    )


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
    """The problem as a response with its own status, and Retry-After where that is known."""
    headers = dict(headers or {})
    if problem.retry_after_seconds is not None:
        headers.setdefault("Retry-After", str(max(1, math.ceil(problem.retry_after_seconds))))
    return JSONResponse(
        problem.model_dump(mode="json", exclude_none=True),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers=headers,
    )


def answer_with_problems(app: FastAPI) -> None:
    """Makes every error response of the app a problem."""

    async def failed(_request: Request, failure: Failure) -> JSONResponse:
        return problem_response(problem_of(failure, current_trace_id()))

    async def refused(_request: Request, refusal: RequestRefused) -> JSONResponse:
        problem = Problem(
            type=refusal.type,
            title=HTTPStatus(refusal.status).phrase,
            status=refusal.status,
            detail=refusal.detail,
            trace_id=current_trace_id(),
        )
        return problem_response(problem, refusal.headers)

    async def fields_refused(_request: Request, refusal: FieldsRefused) -> JSONResponse:
        problem = problem_of(Failure(FailureType.INVALID_REQUEST, refusal.detail), current_trace_id())
        return problem_response(problem.model_copy(update={"errors": refusal.errors}))

    async def parameters_refused(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{"field": str(e["loc"][-1]), "detail": str(e["msg"])} for e in error.errors()]
        return await fields_refused(request, FieldsRefused(errors))

    async def http_error(_request: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        problem = Problem(
            type=phrase.lower().replace(" ", "-"),
            title=phrase,
            status=error.status_code,
            detail="There is nothing at this address." if error.status_code == 404 else str(error.detail),
            trace_id=current_trace_id(),
        )
        return problem_response(problem, dict(error.headers or {}))

    app.exception_handler(Failure)(failed)
    app.exception_handler(RequestRefused)(refused)
    app.exception_handler(FieldsRefused)(fields_refused)
    app.exception_handler(RequestValidationError)(parameters_refused)
    app.exception_handler(HTTPException)(http_error)
