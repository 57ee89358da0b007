"""Server-sent events and lost lines go in; typed events, each once and in order, and pauses come out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

import httpx
from httpx_sse import ServerSentEvent
from pydantic import TypeAdapter, ValidationError

from visavis_client.errors import Unreachable, problem, response_problem
from visavis_client.events import Done, Event, typed_event

_ANY_OBJECT = TypeAdapter(dict[str, Any])

# A proxy says so while the gateway behind it is replaced.
_PASSING = frozenset({502, 503, 504})


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a lost line is taken up again without any news in between, and how long is waited before."""

    attempts: int = 8
    first_seconds: float = 0.25
    longest_seconds: float = 5.0


PATIENT = Patience()


class Cursor:
    """A position in a reply's log, moved on by what arrives; it decides, the caller does the reading."""

    def __init__(self, patience: Patience) -> None:
        self.done: Done | None = None
        self._patience = patience
        self._first_seconds = patience.first_seconds
        self._last_id = 0
        self._losses = 0

    @property
    def headers(self) -> dict[str, str]:
        """What tells the server where to go on."""
        return {"Last-Event-ID": str(self._last_id)} if self._last_id else {}

    def check(self, response: httpx.Response) -> bool:
        """Whether the response (its body read, if an error) carries events.

        False means that the line counts as lost.

        Raises:
            Problem: the gateway refuses.
        """
        if response.status_code in _PASSING:
            return False
        if response.is_error:
            raise response_problem(response)
        # 204: up to date, and nothing more will come.
        return response.status_code == httpx.codes.OK

    def event(self, sent: ServerSentEvent) -> Event | None:
        """The event, or None for a ping, an unknown or a repeated one.

        Raises:
            Problem: the reply failed.
            Unreachable: what arrives is not what the contract says.
        """
        if sent.retry is not None:
            self._first_seconds = min(sent.retry / 1000, self._patience.longest_seconds)
        if not sent.data or not sent.id.isdecimal() or int(sent.id) <= self._last_id:
            return None
        self._last_id = int(sent.id)
        self._losses = 0
        try:
            data = _ANY_OBJECT.validate_json(sent.data)
            event = typed_event(self._last_id, sent.event, data)
        except ValidationError:
            raise Unreachable(f"The server sent an event that cannot be read: {sent.event}.") from None
        if sent.event == "error":
            raise problem(data)
        if isinstance(event, Done):
            self.done = event
        return event

    def lost(self) -> float:
        """Counts a lost line; the seconds to wait before the next try.

        Raises:
            Unreachable: it was lost too often.
        """
        self._losses += 1
        if self._losses > self._patience.attempts:
            raise Unreachable(f"The line to the server was lost {self._losses} times in a row.")
        longest: float = min(self._first_seconds * 2 ** (self._losses - 1), self._patience.longest_seconds)
        # Clients that lost their lines together do not come back together.
        return longest * random.uniform(0.5, 1.0)  # noqa: S311
