"""A piece of video work goes in; while it is open, autoscalers and other gateways see it as a ticket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Others:
    """Open work of other gateways, as far as is known: what waits before one's own, and what is served."""

    waiting: int = 0
    served: int = 0


class Ticket(Protocol):
    """Stands for one piece of work, which waits at first."""

    async def serve(self) -> None:
        """From now on a worker is at it."""


class Tickets(Protocol):
    """Work for video workers that is open: asked for, and not finished."""

    def held(self, work: str) -> AbstractAsyncContextManager[Ticket]:
        """A ticket for as long as the block runs. `work` is what it is for: a reply's or an avatar's id.

        Tickets only steer how many workers there are: that one cannot be written stops no work.
        """

    def others(self, work: str) -> Others:
        """What other gateways have open before this work, or, where it has no ticket yet, at all."""

    async def drop(self, work: str) -> None:
        """Removes what a gateway that died held for this work."""

    async def drop_older(self, seconds: float) -> None:
        """Removes what no gateway can still hold."""


class NoTickets:
    """Nobody counts: the number of workers is fixed, and there are no other gateways."""

    @asynccontextmanager
    async def held(self, work: str) -> AsyncIterator[Ticket]:  # noqa: ARG002
        """Nothing."""
        yield self

    async def serve(self) -> None:
        """Nobody wants to know."""

    def others(self, work: str) -> Others:  # noqa: ARG002
        """None."""
        return Others()

    async def drop(self, work: str) -> None:
        """Nothing."""

    async def drop_older(self, seconds: float) -> None:
        """Nothing."""
