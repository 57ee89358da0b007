"""Problems, and exceptions that the routes raise, go in; application/problem+json responses come out."""

from __future__ import annotations

import math
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from visavis.rpc.failures import Failure, FailureType

from gateway.problems import FieldsRefused, RequestRefused, problem_of
from gateway.reply.events import Problem
from gateway.tracing import current_trace_id

MEDIA_TYPE = "application/problem+json"


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


def refusal_problem(refusal: RequestRefused) -> Problem:
    """A request that HTTP itself has a status for."""
    return Problem(
        type=refusal.type,
        title=HTTPStatus(refusal.status).phrase,
        status=refusal.status,
        detail=refusal.detail,
        trace_id=current_trace_id(),
    )


def refusal_response(refusal: RequestRefused) -> JSONResponse:
    """The same as a response."""
    return problem_response(refusal_problem(refusal), refusal.headers)


def answer_with_problems(app: FastAPI) -> None:
    """Makes every error response of the app a problem."""

    async def failed(_request: Request, failure: Failure) -> JSONResponse:
        return problem_response(problem_of(failure, current_trace_id()))

    async def refused(_request: Request, refusal: RequestRefused) -> JSONResponse:
        return refusal_response(refusal)

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
