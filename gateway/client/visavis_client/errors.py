"""What goes wrong between a client and a gateway, as exceptions whose messages are sentences for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import httpx


class VisavisError(Exception):
    """Whatever this package raises on purpose."""


class Unreachable(VisavisError):
    """No gateway answers at the address, or the line to it was lost too often."""


class UnusableKey(VisavisError, ValueError):
    """A key holds what no HTTP header may carry; the message does not quote it."""


class NothingMade(VisavisError):
    """The reply has ended without what was asked for: it was cancelled, or nothing in it could be spoken."""


class Problem(VisavisError):
    """An error the gateway explains (RFC 9457).

    `type` is stable and meant for programs, `detail` for people; `retry_after_seconds` says when another try
    makes sense, `errors` which fields of the request are wrong.
    """

    def __init__(
        self,
        *,
        type: str,  # noqa: A002  RFC 9457's word
        title: str,
        status: int,
        detail: str = "",
        trace_id: str = "",
        stage: str | None = None,
        retry_after_seconds: float | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail or title)
        self.type = type
        self.title = title
        self.status = status
        self.detail = detail
        self.trace_id = trace_id
        self.stage = stage
        self.retry_after_seconds = retry_after_seconds
        self.errors = errors


def problem(members: Mapping[str, Any], status: int = 500) -> Problem:
    """The problem in a body or in an `error` event; what is missing is filled from the status."""
    known = ("detail", "trace_id", "stage", "retry_after_seconds", "errors")
    return Problem(
        type=str(members.get("type", "unknown")),
        title=str(members.get("title", _phrase(status))),
        status=stated if isinstance(stated := members.get("status"), int) else status,
        **{name: members[name] for name in known if members.get(name) is not None},
    )


def response_problem(response: httpx.Response) -> Problem:
    """The problem in an error response whose body has been read; bodies of proxies say little."""
    try:
        members = response.json()
    except ValueError:
        members = None
    if not isinstance(members, dict):
        members = {"detail": f"The server answered {response.status_code} {_phrase(response.status_code)}."}
    return problem(members, response.status_code)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
