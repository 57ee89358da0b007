"""Calls that find every worker busy go in; each comes out when it is its turn to try again.

Whoever came first is next, but for replies that have begun: their viewers would see them stall. Only the next
one tries, so that a hundred waiting replies are no storm of refused calls. Other gateways have lines of their
own at the same workers: theirs are counted into places and times, the turns are this line's.
"""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from gateway.stages.tickets import NoTickets, Tickets

# A refused call is answered at once: the next one may reach a worker that is free.
_QUICK_TRIES = 4
_QUICK_SECONDS = 0.02
# What a reply is thought to need of a worker where nothing is known of it.
USUAL_SECONDS = 3.0


@dataclass(eq=False, slots=True)
class Served:
    """A call that a worker is busy with, and how long it will take from here, as far as can be told."""

    seconds_left: Callable[[], float]


@dataclass(eq=False, slots=True)
class Place:
    """Where a call stands in the line."""

    line: Line
    begun: bool
    seconds_needed: Callable[[], float]
    work: str = ""
    tries: int = 0
    is_next: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def position(self) -> int:
        """1: the next one, of all gateways' as far as is known. 0: no longer in the line."""
        return self.line.position(self)

    def seconds_left(self) -> float:
        """Until it is its turn, as far as can be told."""
        return self.line.seconds_before(self)


class Line:
    """The calls of this process that wait for one stage; `tickets` knows of those of others."""

    def __init__(self, tickets: Tickets | None = None) -> None:
        self._tickets = tickets or NoTickets()
        self._places: list[Place] = []
        self._served: list[Served] = []
        # Set and replaced whenever a call of this process ends: a worker is free.
        self._freed = asyncio.Event()
        # What the worker said that was asked last; and how many calls were served when it did.
        self._retry_seconds = 0.0
        self._workers: int | None = None

    def position(self, place: Place) -> int:
        """1: the next one. 0: not in the line."""
        if place not in self._places:
            return 0
        return self._places.index(place) + 1 + self._tickets.others(place.work).waiting

    def join(self, seconds_needed: Callable[[], float], *, begun: bool, work: str = "") -> Place:
        """At its end, or behind the others that have begun. `work` is what it has a ticket for."""
        place = Place(self, begun, seconds_needed, work)
        index = sum(known.begun for known in self._places) if begun else len(self._places)
        self._places.insert(index, place)
        self._call_next()
        return place

    def leave(self, place: Place) -> None:
        """For good."""
        if place in self._places:
            self._places.remove(place)
            place.is_next.clear()
            self._call_next()

    def must_wait(self, *, begun: bool) -> bool:
        """Others were here before."""
        return any(place.begun or not begun for place in self._places)

    @contextmanager
    def served(self, seconds_left: Callable[[], float]) -> Iterator[None]:
        """A worker is busy with a call for as long as the block runs."""
        served = Served(seconds_left)
        self._served.append(served)
        if self._workers is not None:
            self._workers = max(self._workers, self._served_everywhere())
        try:
            yield
        finally:
            self._served.remove(served)
            self._freed.set()
            self._freed = asyncio.Event()

    async def turn(self, place: Place, retry_seconds: float) -> None:
        """Returns when a call that was refused may be made again; `retry_seconds` is what the worker said."""
        self._retry_seconds = retry_seconds
        self._workers = max(1, self._served_everywhere())
        place.tries += 1
        if not place.is_next.is_set():
            place.tries = 0
            await place.is_next.wait()
            return
        if place.tries % (_QUICK_TRIES + 1):
            await asyncio.sleep(_QUICK_SECONDS)
            return
        try:
            async with asyncio.timeout(retry_seconds):
                await self._freed.wait()
        except TimeoutError:
            return
        # The reply that let go of it may want it for its next utterance.
        await asyncio.sleep(_QUICK_SECONDS)

    def seconds_before(self, place: Place | None) -> float:
        """Until it is this one's turn, or that of whoever comes now."""
        places = self._places[: self._places.index(place)] if place in self._places else self._places
        others = self._tickets.others("" if place is None else place.work)
        # Of others' work that is served, all that is known is what the worker said.
        soon = self._retry_seconds or USUAL_SECONDS
        free_in = [served.seconds_left() for served in self._served] + [soon] * others.served
        needed = [before.seconds_needed() for before in places] + [USUAL_SECONDS] * others.waiting
        if place is None and not needed and (self._workers is None or len(free_in) < self._workers):
            return 0.0
        free_in = free_in or [soon]
        heapq.heapify(free_in)
        for seconds in needed:
            heapq.heapreplace(free_in, free_in[0] + seconds)
        return free_in[0]

    def _served_everywhere(self) -> int:
        return len(self._served) + self._tickets.others("").served

    def _call_next(self) -> None:
        for place in self._places[1:]:
            place.is_next.clear()
        if self._places:
            self._places[0].is_next.set()
