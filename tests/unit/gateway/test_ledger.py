"""Budgets hold under any number of replies in flight, begin anew at midnight, and every total adds up."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from visavis.rpc.failures import Failure, FailureType

from gateway.reply.costs import most_tokens, prompt_tokens
from gateway.reply.estimates import Estimates
from gateway.reply.events import Usage
from gateway.reply.ledger import Account, Budget, MemoryLedger, Reservation
from gateway.reply.orders import Order
from gateway.requests import ReplyRequest
from gateway.stages.video import ChosenAvatar

SITE = Account(model="tiny")


class Clock:
    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment


@pytest.fixture
def clock() -> Clock:
    return Clock()


def tokens(count: int) -> Usage:
    return Usage(prompt_tokens=count)


async def test_a_budget_refuses_what_it_cannot_hold_and_says_until_when(clock: Clock) -> None:
    ledger = MemoryLedger({"tiny": 100}, clock)
    await ledger.settle(await ledger.reserve(SITE, 60), tokens(80))
    with pytest.raises(Failure) as refused:
        await ledger.reserve(SITE, 21)
    assert refused.value.type is FailureType.SITE_QUOTA_EXHAUSTED
    assert refused.value.retry_after_seconds == 600
    assert "20 are left" in refused.value.detail
    await ledger.reserve(SITE, 20)


async def test_replies_in_flight_hold_their_share_and_give_it_back(clock: Clock) -> None:
    ledger = MemoryLedger({"tiny": 100}, clock)
    first = await ledger.reserve(SITE, 60)
    with pytest.raises(Failure) as refused:
        await ledger.reserve(SITE, 60)
    assert (refused.value.retry_after_seconds or 600) < 60
    await ledger.settle(first, tokens(10))
    await ledger.reserve(SITE, 60)
    assert await ledger.budgets() == [Budget("tiny", 100, used_tokens=10, reserved_tokens=60)]


async def test_the_day_ends_at_midnight_utc(clock: Clock) -> None:
    ledger = MemoryLedger({"tiny": 100}, clock)
    yesterdays = await ledger.reserve(SITE, 100)
    assert ledger.resets_at() - clock.moment == timedelta(minutes=10)
    clock.moment += timedelta(minutes=20)
    await ledger.reserve(SITE, 70)
    await ledger.settle(yesterdays, tokens(30))
    assert await ledger.budgets() == [Budget("tiny", 100, used_tokens=30, reserved_tokens=70)]


async def test_a_callers_own_key_is_counted_but_never_refused(clock: Clock) -> None:
    ledger = MemoryLedger({"tiny": 1}, clock)
    own = Account(key="caller", model="tiny")
    await ledger.settle(await ledger.reserve(own, 500), tokens(500))
    (row,) = await ledger.totals("anonymous")
    assert (row.account, row.replies, row.usage.prompt_tokens) == (own, 1, 500)
    assert (await ledger.budgets())[0].used_tokens == 0


async def test_a_star_stands_for_every_other_model(clock: Clock) -> None:
    ledger = MemoryLedger({"tiny": 100, "*": 5}, clock)
    await ledger.reserve(SITE, 100)
    with pytest.raises(Failure):
        await ledger.reserve(Account(model="large"), 6)


async def test_models_and_callers_have_totals_of_their_own(clock: Clock) -> None:
    ledger = MemoryLedger({}, clock)
    for account in (SITE, Account(model="large"), SITE, Account(caller="ann", model="tiny")):
        await ledger.settle(await ledger.reserve(account, 5), Usage(completion_tokens=2, speech_seconds=1.5))
    rows = {row.account.model: row for row in await ledger.totals("anonymous")}
    assert (rows["tiny"].replies, rows["tiny"].usage.speech_seconds) == (2, 3.0)
    assert (rows["large"].replies, rows["large"].usage.completion_tokens) == (1, 2)
    assert len(await ledger.totals("ann")) == 1


@given(st.lists(st.tuples(st.integers(1, 60), st.floats(0, 2), st.booleans()), max_size=40))
async def test_a_budget_is_overshot_only_by_what_replies_in_flight_were_estimated_too_low(
    replies: list[tuple[int, float, bool]],
) -> None:
    ledger = MemoryLedger({"tiny": 100}, Clock())
    flying: list[tuple[Reservation, int]] = []
    too_low = 0
    for estimate, truth, lands in replies:
        try:
            flying.append((await ledger.reserve(SITE, estimate), round(estimate * truth)))
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
