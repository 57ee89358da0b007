"""One reply's deadline and trace go in, what its calls need comes out; failed calls get another try."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Self

import grpc
from visavis.rpc.channel import call_metadata
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.tracing import Attribute, span

from gateway.stages.line import USUAL_SECONDS, Line, Place

_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 1.0
# How it shows that a stage is out of reach, or died.
GONE = frozenset({FailureType.STAGE_UNAVAILABLE, FailureType.INTERRUPTED})


class Wait(Protocol):
    """What a call waits for."""

    @property
    def position(self) -> int:
        """1: it is served next, as far as this process knows; 0: the stage has to start."""

    def seconds_left(self) -> float:
        """Until the stage can begin with it, as far as can be told; 0: unknown."""


@dataclass(frozen=True, slots=True)
class Absence:
    """A stage is out of reach: it may be starting."""

    stage: str
    position: int = 0

    def seconds_left(self) -> float:
        """Who knows."""
        return 0.0


def ignore_position(_wait: Wait | None) -> None:
    """Nobody wants to know."""


def usual_seconds() -> float:
    """A guess."""
    return USUAL_SECONDS


@dataclass(frozen=True, slots=True)
class Call:
    """What travels with every call of one reply.

    `deadline` is on the event loop's clock. `patience_seconds` bounds how long a stage may be out of reach.
    `queued` is told what the call waits for, None once it is served. `work` names what the call is made for:
    a reply's id, or an avatar's. `seconds_needed` tells how long its video will take a worker from here.
    """

    deadline: float
    traceparent: str
    patience_seconds: float
    queued: Callable[[Wait | None], None] = ignore_position
    work: str = ""
    seconds_needed: Callable[[], float] = usual_seconds

    @classmethod
    def within(
        cls, seconds: float, traceparent: str, patience_seconds: float = 0.0, *, work: str = ""
    ) -> Call:
        """A call that has `seconds` from now."""
        return cls(asyncio.get_running_loop().time() + seconds, traceparent, patience_seconds, work=work)

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
    """Decides after each failed attempt whether there is another, and when. As a context, lets others pass.

    Args:
        call: what the attempts are made for.
        line: where calls of this stage wait while its workers are busy.
        begun: a client already sees what the call goes on with.
    """

    def __init__(self, call: Call, line: Line | None = None, *, begun: bool = False) -> None:
        self.call = call
        self._line = Line() if line is None else line
        self._begun = begun
        self._place: Place | None = None
        self._told = False
        self._delay = _FIRST_DELAY_SECONDS
        self._gone_since: float | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    async def first_turn(self) -> None:
        """Returns when it is time for the first attempt: at once, unless others wait already."""
        if self._line.must_wait(begun=self._begun):
            await self._join().is_next.wait()

    def renew(self) -> None:
        """The stage has answered: a later failure counts anew."""
        self._delay = _FIRST_DELAY_SECONDS
        self._gone_since = None
        self.leave()
        if self._told:
            # Other stages are called for the same reply: what it waits for there is not this one's to end.
            self._told = False
            self.call.queued(None)

    def leave(self) -> None:
        """Lets others pass."""
        if self._place is not None:
            self._line.leave(self._place)
            self._place = None

    def _join(self) -> Place:
        if self._place is None:
            self._place = self._line.join(self.call.seconds_needed, begun=self._begun, work=self.call.work)
        self._tell(self._place)
        return self._place

    def _tell(self, wait: Wait) -> None:
        self._told = True
        self.call.queued(wait)

    async def wait_after(self, failure: Failure) -> None:
        """Returns when it is time to try again; raises `failure` where that is of no use.

        A busy stage is waited for until the deadline, one out of reach as long as patience lasts.
        """
        if failure.type is FailureType.BUSY:
            try:
                async with asyncio.timeout(self.call.seconds_left):
                    await self._line.turn(self._join(), failure.retry_after_seconds or self._delay)
            except TimeoutError:
                raise failure from None
            return
        now = asyncio.get_running_loop().time()
        wait = self._delay
        self.leave()
        if failure.type in GONE:
            self._tell(Absence(failure.stage))
            self._gone_since = now if self._gone_since is None else self._gone_since
            if now - self._gone_since + wait > self.call.patience_seconds:
                raise failure
        else:
            raise failure
        if wait >= self.call.seconds_left:
            raise failure
        self._delay = min(self._delay * 2, _LONGEST_DELAY_SECONDS)
        # Spread, so that many replies do not come back to one worker at once.
        await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311
