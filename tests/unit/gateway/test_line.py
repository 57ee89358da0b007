"""Whoever came first is served first, but for replies that have begun; each is told how long it takes."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

from gateway.stages.line import Line, Place
from gateway.stages.tickets import NoTickets, Others


def ten_seconds() -> float:
    return 10.0


def places(line: Line, *replies: str) -> list[Place]:
    return [line.join(ten_seconds, begun=reply == "begun") for reply in replies]


def test_the_first_to_come_is_the_first_in_line() -> None:
    line = Line()
    first, second, third = places(line, "new", "new", "new")
    assert [place.position for place in (first, second, third)] == [1, 2, 3]
    line.leave(second)
    line.leave(second)
    assert [place.position for place in (first, second, third)] == [1, 0, 2]
    line.leave(first)
    assert third.is_next.is_set()


def test_a_reply_that_has_begun_goes_before_those_that_have_not() -> None:
    line = Line()
    new, begun, later = places(line, "new", "begun", "begun")
    assert [place.position for place in (begun, later, new)] == [1, 2, 3]
    assert [place.is_next.is_set() for place in (begun, later, new)] == [True, False, False]


def test_nobody_who_comes_later_gets_in_between() -> None:
    line = Line()
    assert not line.must_wait(begun=False)
    (waiting,) = places(line, "new")
    assert line.must_wait(begun=False)
    assert not line.must_wait(begun=True)
    line.leave(waiting)
    assert not line.must_wait(begun=False)


async def test_only_the_next_one_tries_and_the_others_when_it_has_left() -> None:
    line = Line()
    first, second = places(line, "new", "new")
    await line.turn(first, retry_seconds=3600)
    waiting = asyncio.create_task(line.turn(second, retry_seconds=3600))
    await asyncio.sleep(0)
    assert not waiting.done()
    line.leave(first)
    await waiting


async def test_the_next_one_is_called_as_soon_as_a_worker_is_free() -> None:
    line = Line()
    (first,) = places(line, "new")
    with line.served(ten_seconds):
        for _ in range(4):
            await line.turn(first, retry_seconds=3600)
        waiting = asyncio.create_task(line.turn(first, retry_seconds=3600))
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


async def test_the_time_until_ones_turn_is_what_those_before_need() -> None:
    line = Line()
    with ExitStack() as working:
        working.enter_context(line.served(lambda: 4.0))
        working.enter_context(line.served(lambda: 6.0))
        assert line.seconds_before(None) == 0.0
        first, second, third = places(line, "new", "new", "new")
        await line.turn(first, retry_seconds=1)
        # Two workers: free in 4 and 6 s; each of those before takes one for 10 s.
        assert [place.seconds_left() for place in (first, second, third)] == [4.0, 6.0, 14.0]
        assert line.seconds_before(None) == 16.0
        for place in (first, second, third):
            line.leave(place)
        # The workers are known by now.
        assert line.seconds_before(None) == 4.0


async def test_where_others_keep_the_workers_busy_what_a_worker_says_is_all_that_is_known() -> None:
    line = Line()
    first, second = places(line, "new", "new")
    await line.turn(first, retry_seconds=2.5)
    assert (first.seconds_left(), second.seconds_left()) == (2.5, 12.5)


class OthersWork(NoTickets):
    """Other gateways have two replies before ours, and one that is being served."""

    def others(self, work: str) -> Others:
        return Others(waiting=2, served=1)


async def test_what_waits_at_other_gateways_is_counted_into_places_and_times() -> None:
    line = Line(OthersWork())
    # A worker is at another one's work, which takes the usual 3 s; so do the two before.
    assert line.seconds_before(None) == 9.0
    first, second = places(line, "new", "new")
    assert [first.position, second.position] == [3, 4]
    assert [first.seconds_left(), second.seconds_left()] == [9.0, 19.0]
    await line.turn(first, retry_seconds=1.0)
    assert first.seconds_left() == 7.0
    with line.served(lambda: 4.0):
        # Two workers, free in 1 and 4 s.
        assert first.seconds_left() == 4.0
