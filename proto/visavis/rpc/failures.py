"""A failure crosses a process boundary: `Failure` here, `google.rpc.Status` on the wire, `Failure` there.

The types' names are what clients see as the problem type (RFC 9457), so they are stable.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import cast

import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

DOMAIN = "visavis"


class FailureType(StrEnum):
    """What went wrong, in words that both machines and people recognise."""

    INVALID_REQUEST = "invalid-request"
    NOTHING_SPEAKABLE = "nothing-speakable"
    UNKNOWN_AVATAR = "unknown-avatar"
    UNKNOWN_MODEL = "unknown-model"
    UNKNOWN_NETWORK = "unknown-network"
    UNKNOWN_VOICE = "unknown-voice"
    UNSUPPORTED_LANGUAGE = "unsupported-language"
    UNSUPPORTED_SETTING = "unsupported-setting"
    CONTEXT_LENGTH_EXCEEDED = "context-length-exceeded"
    TOO_LONG = "too-long"
    CALLER_KEY_INVALID = "caller-key-invalid"
    SITE_QUOTA_EXHAUSTED = "site-quota-exhausted"
    RATE_LIMITED = "rate-limited"
    BUSY = "busy"
    AVATAR_MISSING = "avatar-missing"
    STAGE_UNAVAILABLE = "stage-unavailable"
    UPSTREAM_UNAVAILABLE = "upstream-unavailable"
    DEADLINE_EXCEEDED = "deadline-exceeded"
    INTERRUPTED = "interrupted"
    UNKNOWN = "unknown"


_CODES: dict[FailureType, grpc.StatusCode] = {
    FailureType.INVALID_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.NOTHING_SPEAKABLE: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.UNKNOWN_AVATAR: grpc.StatusCode.NOT_FOUND,
    FailureType.UNKNOWN_MODEL: grpc.StatusCode.NOT_FOUND,
    FailureType.UNKNOWN_NETWORK: grpc.StatusCode.NOT_FOUND,
    FailureType.UNKNOWN_VOICE: grpc.StatusCode.NOT_FOUND,
    FailureType.UNSUPPORTED_LANGUAGE: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.UNSUPPORTED_SETTING: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.CONTEXT_LENGTH_EXCEEDED: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.TOO_LONG: grpc.StatusCode.INVALID_ARGUMENT,
    FailureType.CALLER_KEY_INVALID: grpc.StatusCode.UNAUTHENTICATED,
    FailureType.SITE_QUOTA_EXHAUSTED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FailureType.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FailureType.BUSY: grpc.StatusCode.RESOURCE_EXHAUSTED,
    FailureType.AVATAR_MISSING: grpc.StatusCode.FAILED_PRECONDITION,
    FailureType.STAGE_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    FailureType.UPSTREAM_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    FailureType.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    FailureType.INTERRUPTED: grpc.StatusCode.ABORTED,
    FailureType.UNKNOWN: grpc.StatusCode.INTERNAL,
}


_TYPES = {type_.value: type_ for type_ in FailureType}


# What providers name goes on to callers; nobody waits for longer than a day, or for "inf".
_LONGEST_RETRY_SECONDS = 86_400.0


class Failure(Exception):
    """What a caller is told: a type, a sentence (what, where, what to do), and when to try again.

    `detail` reaches people: no paths, secrets, message texts or tracebacks.
    `retry_after_seconds` is None where trying again will not help or nobody can know when.
    """

    def __init__(
        self, type_: FailureType, detail: str, *, retry_after_seconds: float | None = None, stage: str = ""
    ) -> None:
        super().__init__(f"{type_}: {detail}")
        self.type = type_
        self.detail = detail
        self.retry_after_seconds = retry_after_seconds
        self.stage = stage


def status_of(failure: Failure) -> grpc.Status:
    """The failure as a gRPC status with ErrorInfo and, where known, RetryInfo (google.rpc error details)."""
    code = _CODES[failure.type]
    status = status_pb2.Status(code=code_pb2.Code.Value(code.name), message=failure.detail)
    info = error_details_pb2.ErrorInfo(reason=failure.type.value, domain=DOMAIN)
    status.details.add().Pack(info)
    if failure.retry_after_seconds is not None:
        delay = Duration()
        delay.FromNanoseconds(int(min(failure.retry_after_seconds, _LONGEST_RETRY_SECONDS) * 1e9))
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return rpc_status.to_status(status)


def failure_of(error: grpc.aio.AioRpcError, stage: str) -> Failure:
    """The failure that a call to `stage` ended in; what is not ours is named by its gRPC code."""
    status = rpc_status.from_call(cast("grpc.Call", error))
    type_: FailureType | None = None
    retry_after_seconds: float | None = None
    for detail in status.details if status is not None else ():
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            info = error_details_pb2.ErrorInfo()
            detail.Unpack(info)
            if info.domain == DOMAIN:
                type_ = _TYPES.get(info.reason)
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry = error_details_pb2.RetryInfo()
            detail.Unpack(retry)
            retry_after_seconds = retry.retry_delay.ToNanoseconds() / 1e9
    if type_ is not None:
        return Failure(
            type_, error.details() or type_.value, retry_after_seconds=retry_after_seconds, stage=stage
        )
    return _foreign_failure(error.code(), stage)


# INTERNAL is what gRPC makes of a connection that breaks while it sends ("Internal error from Core"); what
# goes wrong in a service itself has details of ours.
_BROKEN = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.INTERNAL,
)


def _foreign_failure(code: grpc.StatusCode, stage: str) -> Failure:
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return Failure(
            FailureType.DEADLINE_EXCEEDED, f"The {stage} service did not finish in time.", stage=stage
        )
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
        return Failure(
            FailureType.BUSY, f"The {stage} service is at its limit.", retry_after_seconds=1, stage=stage
        )
    if code in _BROKEN:
        return Failure(
            FailureType.STAGE_UNAVAILABLE,
            f"The {stage} service cannot be reached. Try again in a moment.",
            retry_after_seconds=2,
            stage=stage,
        )
    return Failure(FailureType.UNKNOWN, f"The {stage} service failed.", stage=stage)


@contextmanager
def calling(stage: str) -> Iterator[None]:
    """Everything inside calls `stage`: what gRPC raises there leaves as a `Failure`."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        raise failure_of(error, stage) from error
