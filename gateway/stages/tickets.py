"""A piece of video work goes in; while it is waited for and done, autoscalers see it as a ticket."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol


class Tickets(Protocol):
    """Work for video workers that is open: asked for, and not finished."""

    def held(self, work: str) -> AbstractAsyncContextManager[None]:
        """A ticket for as long as the block runs. `work` is what it is for: a reply's or an avatar's id.

        Tickets only steer how many workers there are: that one cannot be written stops no work.
        """

    async def drop(self, work: str) -> None:
        """Removes what a gateway that died held for this work."""

    async def drop_older(self, seconds: float) -> None:
        """Removes what no gateway can still hold."""


class NoTickets:
    """Nobody counts: the number of workers is fixed."""

    def held(self, work: str) -> AbstractAsyncContextManager[None]:  # noqa: ARG002
        """Nothing."""
        return nullcontext()

    async def drop(self, work: str) -> None:
        """Nothing."""

    async def drop_older(self, seconds: float) -> None:
        """Nothing."""
