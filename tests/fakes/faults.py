"""A script of faults goes in, streams that break, stall or wait where the script says come out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from typing import TypeVar

from visavis.rpc.failures import Failure

Response = TypeVar("Response")


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens after so many responses of one call.

    With a `failure` the call ends in it; with a `gate` it waits there until that is opened, then goes on.
    """

    after: int = 0
    failure: Failure | None = None
    gate: asyncio.Event | None = None


@dataclass(slots=True)
class Faults:
    """One fault per call, in order; calls without one go well. Also counts what became of the calls."""

    planned: list[Fault] = field(default_factory=list)
    calls: int = 0
    finished: int = 0
    # Set whenever a call has come to its fault, and whenever one was cut off by the caller.
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    cut_off: asyncio.Event = field(default_factory=asyncio.Event)

    def plan(self, *faults: Fault) -> None:
        """Adds faults for the calls to come."""
        self.planned.extend(faults)

    @property
    def running(self) -> int:
        """Calls that are still being served."""
        return self.calls - self.finished

    async def applied(self, responses: AsyncIterator[Response]) -> AsyncGenerator[Response, None]:
        """The responses of one call, up to and around its fault."""
        fault = self.planned.pop(0) if self.planned else None
        self.calls += 1
        count = 0
        try:
            async for response in responses:
                if fault is not None and count == fault.after:
                    await self._strike(fault)
                yield response
                count += 1
            if fault is not None and count <= fault.after:
                await self._strike(fault)
        except asyncio.CancelledError:
            self.cut_off.set()
            raise
        finally:
            self.finished += 1

    async def _strike(self, fault: Fault) -> None:
        self.reached.set()
        if fault.gate is not None:
            await fault.gate.wait()
        if fault.failure is not None:
            raise fault.failure
