"""What a process makes goes in, what it has to know of the others comes out: whose reply needs a new hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias


@dataclass(frozen=True, slots=True)
class Orphan:
    """A reply that nobody makes any more, and that is now this process's to end."""

    reply_id: str
    record: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Cancelled:
    """Somebody asked another process to cancel a reply that is made here."""

    reply_id: str


@dataclass(frozen=True, slots=True)
class Lost:
    """A reply that was made here is another process's now."""

    reply_id: str


News: TypeAlias = Orphan | Cancelled | Lost


class Claims(Protocol):
    """Says who makes which reply. What one process lets go, or dies with, another one takes over."""

    @property
    def shared(self) -> bool:
        """Whether there can be other processes."""

    async def release(self, reply_id: str) -> None:
        """Any other process may go on with it, at once."""

    async def finish(self, reply_id: str) -> None:
        """The reply has ended."""

    async def forget(self, reply_id: str) -> None:
        """Holds it no longer; when nobody has held it for a while, it is an orphan."""

    async def cancel(self, reply_id: str) -> None:
        """Asks whoever makes the reply to cancel it."""

    async def is_cancelled(self, reply_id: str) -> bool:
        """Whether somebody asked for that."""

    def news(self) -> AsyncGenerator[News, None]:
        """What happens to replies here, as it happens."""


class SoleClaims:
    """There are no others."""

    shared = False

    async def release(self, reply_id: str) -> None:
        """Nobody would take it."""

    async def finish(self, reply_id: str) -> None:
        """Nobody waits for that."""

    async def forget(self, reply_id: str) -> None:
        """Nobody would find it."""

    async def cancel(self, reply_id: str) -> None:
        """It is not made anywhere else."""

    async def is_cancelled(self, reply_id: str) -> bool:  # noqa: ARG002
        """Nobody asked."""
        return False

    async def news(self) -> AsyncGenerator[News, None]:
        """None, ever."""
        await asyncio.Event().wait()
        yield Lost("")
