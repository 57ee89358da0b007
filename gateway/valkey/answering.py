"""Calls to the shared server go in; where it does not answer, a failure that clients understand comes out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from redis.exceptions import RedisError
from visavis.rpc.failures import Failure, FailureType

log = structlog.get_logger()

_RETRY_SECONDS = 2.0
NO_ANSWER = (RedisError, OSError)


def unanswered() -> Failure:
    """What clients are told."""
    return Failure(
        FailureType.STAGE_UNAVAILABLE,
        "The service's memory of replies is out of reach. Try again in a few seconds.",
        retry_after_seconds=_RETRY_SECONDS,
    )


@contextmanager
def answering() -> Iterator[None]:
    """Raises Failure (stage-unavailable) where the server does not answer."""
    try:
        yield
    except NO_ANSWER as error:
        # The exception's text may hold the server's address.
        log.error("valkey does not answer", error=type(error).__name__)  # noqa: TRY400
        raise unanswered() from None
