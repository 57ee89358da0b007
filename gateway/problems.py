"""Failures go in, RFC 9457 problem details come out: one table of status and title for every type."""

from __future__ import annotations

from visavis.rpc.failures import Failure, FailureType

from gateway.reply.events import Problem

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
