"""One reply's deadline and trace go in, what its calls need comes out; failed calls get another try."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import grpc
from visavis.rpc.channel import call_metadata
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.tracing import Attribute, span

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0
_GONE = frozenset({FailureType.STAGE_UNAVAILABLE, FailureType.INTERRUPTED})


def ignore_position(_position: int) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True, slots=True)
class Call:
    """What travels with every call of one reply.

    `deadline` is on the event loop's clock. `patience_seconds` bounds how long a stage may be out of reach.
    `queued` is told 1 while the reply waits for a free worker, 0 once it has one. `work` names what the call
    is made for: a reply's id, or an avatar's.
    """

    deadline: float
    traceparent: str
    patience_seconds: float
    queued: Callable[[int], None] = ignore_position
    work: str = ""

    @classmethod
    def within(cls, seconds: float, traceparent: str, patience_seconds: float = 0.0) -> Call:
        """A call that has `seconds` from now."""
        return cls(asyncio.get_running_loop().time() + seconds, traceparent, patience_seconds)

    @property
    def seconds_left(self) -> float:
        """Until the deadline, never negative."""
        return max(0.0, self.deadline - asyncio.get_running_loop().time())

    @contextmanager
    def traced(self, stage: str, **attributes: Attribute) -> Iterator[grpc.aio.Metadata]:
        """A span around one attempt at a stage; yields the metadata that makes the stage's own its child."""
        with span(stage, self.traceparent, "client", **attributes) as traceparent:
            yield call_metadata(traceparent)

    @property
    def metadata(self) -> grpc.aio.Metadata:
        """gRPC metadata: the trace."""
        return call_metadata(self.traceparent)


class Patience:
    """Decides after each failed attempt whether there is another, and when."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._delay = _FIRST_DELAY_SECONDS
        self._gone_since: float | None = None

    def renew(self) -> None:
        """The stage has answered: a later failure counts anew."""
        self._delay = _FIRST_DELAY_SECONDS
        self._gone_since = None
        self._call.queued(0)

    async def wait_after(self, failure: Failure) -> None:
        """Returns when it is time to try again; raises `failure` where that is of no use.

        A busy stage is waited for until the deadline, one out of reach as long as patience lasts.
        """
        now = asyncio.get_running_loop().time()
        wait = self._delay
        if failure.type is FailureType.BUSY:
            self._call.queued(1)
            wait = failure.retry_after_seconds or wait
        elif failure.type in _GONE:
            self._gone_since = now if self._gone_since is None else self._gone_since
            if now - self._gone_since + wait > self._call.patience_seconds:
                raise failure
        else:
            raise failure
        if wait >= self._call.seconds_left:
            raise failure
        self._delay = min(self._delay * 2, _LONGEST_DELAY_SECONDS)
        # Spread, so that many replies do not come back to one worker at once.
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311
