"""Replies that start and end go in, refusals where there is no room for more come out."""

from __future__ import annotations

from typing import Protocol

from visavis.rpc.failures import Failure, FailureType

from gateway.callers import Caller

_RETRY_SECONDS = 5.0


class Room(Protocol):
    """How many replies are in the making: of each caller, and together. One takes room where it begins."""

    async def leave(self, reply_id: str, caller: Caller) -> None:
        """Gives a reply's room back, once or again."""


class MemoryRoom:
    """Room for `max_replies` of this process."""

    def __init__(self, max_replies: int) -> None:
        self._max_replies = max_replies
        self._inside: dict[str, str] = {}

    async def enter(self, reply_id: str, caller: Caller) -> None:
        """Takes room for one more reply. Raises Failure (rate-limited, busy)."""
        others = [name for known, name in self._inside.items() if known != reply_id]
        if others.count(caller.name) >= caller.running:
            raise caller_full(caller)
        if len(others) >= self._max_replies:
            raise all_full(self._max_replies)
        self._inside[reply_id] = caller.name

    async def leave(self, reply_id: str, caller: Caller) -> None:  # noqa: ARG002
        """Gives a reply's room back, once or again."""
        self._inside.pop(reply_id, None)


def caller_full(caller: Caller) -> Failure:
    """A caller has as many replies in the making as they may."""
    return Failure(
        FailureType.RATE_LIMITED,
        f"{caller.running:g} of your replies are being made already. Try again in a moment.",
        retry_after_seconds=_RETRY_SECONDS,
    )


def all_full(max_replies: int) -> Failure:
    """No more replies can be made at once."""
    return Failure(
        FailureType.BUSY,
        f"{max_replies} replies are being made already. Try again in a moment.",
        retry_after_seconds=_RETRY_SECONDS,
    )
