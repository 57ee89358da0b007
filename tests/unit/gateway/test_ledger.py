"""Budgets hold under any number of replies in flight, begin anew at midnight, and every total adds up.

In one process, and in all that share a server.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from visavis.rpc.failures import Failure, FailureType

from gateway.reply.costs import most_tokens, prompt_tokens
from gateway.reply.estimates import Estimates
from gateway.reply.events import Usage
from gateway.reply.ledger import Account, Budget, Ledger, MemoryLedger, Reservation, utc_now
from gateway.reply.orders import Order
from gateway.reply.room import MemoryRoom
from gateway.requests import ReplyRequest
from gateway.stages.faces import ChosenAvatar
from gateway.valkey.connection import Client, connected
from gateway.valkey.ledger import ValkeyLedger
from gateway.valkey.room import ValkeyRoom
from tests.fakes.registers import entry, valkey_register

SITE = Account(model="tiny")
_LONGEST_SECONDS = 600
Opened: TypeAlias = Callable[[dict[str, int]], Ledger]


class SharedLedger(ValkeyLedger):
    """One whose reservations are made as a reply's are: where it begins."""

    def __init__(
        self,
        client: Client,
        daily_tokens: dict[str, int],
        longest_seconds: float = _LONGEST_SECONDS,
        now: Callable[[], datetime] = utc_now,
    ) -> None:
        super().__init__(client, daily_tokens, now)
        room = ValkeyRoom(client, MemoryRoom(1_000), 1_000, longest_seconds)
        self.register = valkey_register(client, room=room, ledger=self)


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(valkey: str) -> AsyncIterator[Client]:
    async with connected(valkey, patience_seconds=30) as client:
        yield client


@pytest.fixture(params=["memory", "valkey"])
def opened(request: pytest.FixtureRequest, clock: Clock) -> Opened:
    """Gives a ledger with these daily tokens."""
    if request.param == "memory":
        return lambda daily_tokens: MemoryLedger(daily_tokens, clock)
    client = request.getfixturevalue("client")
    return lambda daily_tokens: SharedLedger(client, daily_tokens, now=clock)


async def reserved(ledger: Ledger, account: Account, count: int) -> Reservation:
    """For another reply."""
    reservation = ledger.reservation(secrets.token_hex(8), account, count)
    if isinstance(ledger, MemoryLedger):
        ledger.reserve(reservation)
    else:
        assert isinstance(ledger, SharedLedger)
        await ledger.register.enter(entry(reservation.reply_id, reservation=reservation))
    return reservation


def tokens(count: int) -> Usage:
    return Usage(prompt_tokens=count)


async def test_a_budget_refuses_what_it_cannot_hold_and_says_until_when(opened: Opened) -> None:
    ledger = opened({"tiny": 100})
    await ledger.settle(await reserved(ledger, SITE, 60), tokens(80))
    with pytest.raises(Failure) as refused:
        await reserved(ledger, SITE, 21)
    assert refused.value.type is FailureType.SITE_QUOTA_EXHAUSTED
    assert refused.value.retry_after_seconds == 600
    assert "20 are left" in refused.value.detail
    await reserved(ledger, SITE, 20)


async def test_replies_in_flight_hold_their_share_and_give_it_back(opened: Opened) -> None:
    ledger = opened({"tiny": 100})
    first = await reserved(ledger, SITE, 60)
    with pytest.raises(Failure) as refused:
        await reserved(ledger, SITE, 60)
    assert (refused.value.retry_after_seconds or 600) < 60
    await ledger.settle(first, tokens(10))
    await reserved(ledger, SITE, 60)
    assert await ledger.budgets() == [Budget("tiny", 100, used_tokens=10, reserved_tokens=60)]


async def test_the_day_ends_at_midnight_utc(opened: Opened, clock: Clock) -> None:
    ledger = opened({"tiny": 100})
    yesterdays = await reserved(ledger, SITE, 100)
    assert ledger.resets_at() - clock.moment == timedelta(minutes=10)
    clock.moment += timedelta(minutes=20)
    await reserved(ledger, SITE, 70)
    await ledger.settle(yesterdays, tokens(30))
    assert await ledger.budgets() == [Budget("tiny", 100, used_tokens=30, reserved_tokens=70)]


async def test_a_callers_own_key_is_counted_but_never_refused(opened: Opened) -> None:
    ledger = opened({"tiny": 1})
    own = Account(key="caller", model="tiny")
    await ledger.settle(await reserved(ledger, own, 500), tokens(500))
    (row,) = await ledger.totals("anonymous")
    assert (row.account, row.replies, row.usage.prompt_tokens) == (own, 1, 500)
    assert (await ledger.budgets())[0].used_tokens == 0


async def test_a_star_stands_for_every_other_model(opened: Opened) -> None:
    ledger = opened({"tiny": 100, "*": 5})
    await reserved(ledger, SITE, 100)
    with pytest.raises(Failure):
        await reserved(ledger, Account(model="large"), 6)


async def test_models_and_callers_have_totals_of_their_own(opened: Opened) -> None:
    ledger = opened({})
    for account in (SITE, Account(model="large"), SITE, Account(caller="ann", model="tiny")):
        await ledger.settle(
            await reserved(ledger, account, 5), Usage(completion_tokens=2, speech_seconds=1.5)
        )
    rows = {row.account.model: row for row in await ledger.totals("anonymous")}
    assert (rows["tiny"].replies, rows["tiny"].usage.speech_seconds) == (2, 3.0)
    assert (rows["large"].replies, rows["large"].usage.completion_tokens) == (1, 2)
    assert len(await ledger.totals("ann")) == 1


async def test_gateways_share_a_budget_and_never_admit_more_together_than_it_holds(client: Client) -> None:
    replicas = [SharedLedger(client, {"tiny": 100}) for _ in range(3)]
    asks = [reserved(replicas[number % 3], SITE, 1 + number % 7) for number in range(60)]
    answers = await asyncio.gather(*asks, return_exceptions=True)
    admitted = [answer for answer in answers if isinstance(answer, Reservation)]
    assert len(admitted) < 60
    assert 94 <= sum(reservation.tokens for reservation in admitted) <= 100
    await asyncio.gather(*(replicas[0].settle(reservation, tokens(1)) for reservation in admitted))
    for replica in replicas:
        assert await replica.budgets() == [Budget("tiny", 100, len(admitted), 0)]
        assert [row.replies for row in await replica.totals("anonymous")] == [len(admitted)]


async def test_of_two_gateways_that_settle_one_reply_the_first_one_counts(client: Client) -> None:
    dead, heir = (SharedLedger(client, {"tiny": 100}) for _ in range(2))
    reservation = await reserved(dead, SITE, 60)
    await heir.settle(reservation, tokens(10))
    await dead.settle(reservation, tokens(50))
    assert await dead.budgets() == [Budget("tiny", 100, used_tokens=10, reserved_tokens=0)]


async def test_what_a_dead_gateway_held_is_free_once_no_reply_can_be_that_old(client: Client) -> None:
    dead = SharedLedger(client, {"tiny": 100}, longest_seconds=0)
    await reserved(dead, SITE, 100)
    alive = SharedLedger(client, {"tiny": 100})
    assert (await alive.budgets())[0].reserved_tokens == 0
    await reserved(alive, SITE, 100)


async def test_a_server_that_does_not_answer_is_a_clear_failure(tmp_path: Path) -> None:
    async with Redis.from_url(f"unix://{tmp_path}/nowhere.sock", retry=Retry(NoBackoff(), 0)) as client:
        ledger = SharedLedger(client, {})
        for asked in (reserved(ledger, SITE, 1), ledger.totals("ann"), ledger.budgets()):
            with pytest.raises(Failure) as refused:
                await asked
            assert refused.value.type is FailureType.STAGE_UNAVAILABLE
            assert refused.value.retry_after_seconds
            assert "nowhere" not in refused.value.detail


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 2), st.booleans()), max_size=40))
async def test_a_budget_is_overshot_only_by_what_replies_in_flight_were_estimated_too_low(
    replies: list[tuple[int, float, bool]],
) -> None:
    ledger = MemoryLedger({"tiny": 100}, Clock())
    flying: list[tuple[Reservation, int]] = []
    too_low = 0
    for estimate, truth, lands in replies:
        try:
            flying.append((await reserved(ledger, SITE, estimate), round(estimate * truth)))
        except Failure:
            continue
        if lands:
            reservation, used = flying.pop(0)
            too_low += max(0, used - reservation.tokens)
            await ledger.settle(reservation, tokens(used))
    (budget,) = await ledger.budgets()
    assert budget.used_tokens + budget.reserved_tokens <= 100 + too_low
    assert budget.reserved_tokens == sum(reservation.tokens for reservation, _ in flying)


def ordered(**request: object) -> Order:
    return Order("r", ReplyRequest.model_validate(request), ChosenAvatar("ava"), "tiny", "")


def test_a_text_word_for_word_costs_no_tokens() -> None:
    assert most_tokens(ordered(say="Hello."), Estimates()) == 0


def test_the_guess_grows_with_the_conversation_and_the_answer() -> None:
    moon = [{"role": "user", "content": "Tell me about the moon."}]
    short = most_tokens(ordered(messages=moon, max_tokens=10), Estimates())
    assert most_tokens(ordered(messages=moon, max_tokens=500), Estimates()) == short + 490
    assert most_tokens(ordered(messages=moon * 3, max_tokens=10), Estimates()) > short
    assert most_tokens(ordered(messages=moon), Estimates()) > short
    assert prompt_tokens(["你好，世界。"]) >= 6
