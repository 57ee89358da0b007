"""What replies may cost and did cost goes in; refusals beyond a day's budget, and totals, come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Literal, Protocol, TypeAlias

from visavis.rpc.failures import Failure, FailureType

from gateway.callers import ANONYMOUS
from gateway.reply.events import Usage

KeyKind: TypeAlias = Literal["site", "caller"]
# Stands for every model that has no budget of its own.
ANY_MODEL = "*"
# Beyond it, further models are counted together.
_MAX_ROWS = 2_000
_OTHER = "(other)"
_IN_FLIGHT_RETRY_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays for which model. It is empty where none is asked, or the text stage cannot say yet which."""

    caller: str = ANONYMOUS
    key: KeyKind = "site"
    model: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """Tokens set aside for one reply that was admitted; `day` is the one they count for."""

    reply_id: str
    account: Account
    tokens: int
    day: datetime


@dataclass(slots=True)
class Totals:
    """What one account has used."""

    account: Account
    replies: int = 0
    usage: Usage = field(default_factory=Usage)


@dataclass(frozen=True, slots=True)
class Budget:
    """A model's tokens of today on the site's key; `reserved_tokens` belong to replies in flight."""

    model: str
    daily_tokens: int
    used_tokens: int
    reserved_tokens: int


class Ledger(Protocol):
    """Counts what replies cost. Every reservation is settled once; of two who try, the first one counts."""

    def reservation(self, reply_id: str, account: Account, tokens: int) -> Reservation:
        """What a reply that begins now is to hold; it is made where the reply begins."""

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Gives the reservation back and counts what was used instead."""

    async def totals(self, caller: str) -> list[Totals]:
        """What a caller has used, per kind of key and model."""

    async def budgets(self) -> list[Budget]:
        """How today's budgets stand."""

    def resets_at(self) -> datetime:
        """When the next day's budgets begin: 00:00 UTC."""


def budget_exhausted(budget: Budget, tokens: int, reset_seconds: float) -> Failure:
    """Why a reply that may take so many tokens is refused, and when it is worth while to ask again."""
    left = budget.daily_tokens - budget.used_tokens
    # Where it would fit but for replies in flight, these will give some of theirs back.
    in_flight = tokens <= left
    return Failure(
        FailureType.SITE_QUOTA_EXHAUSTED,
        f"This reply may take {tokens:,} tokens; of today's {budget.daily_tokens:,} for "
        f"{budget.model or 'this model'} {max(0, left - budget.reserved_tokens):,} are left. "
        "Ask for a shorter one, bring your own key, or come back after 00:00 UTC.",
        retry_after_seconds=min(reset_seconds, _IN_FLIGHT_RETRY_SECONDS) if in_flight else reset_seconds,
        stage="text",
    )


@dataclass(slots=True)
class _Day:
    """One model's tokens on one day."""

    day: datetime
    used: int = 0
    reserved: int = 0


def utc_now() -> datetime:
    """The moment, in UTC."""
    return datetime.now(UTC)


class MemoryLedger:
    """Counts for this process, from its start.

    A model's budget is one for all callers who use the site's key; what a caller's own key pays for is only
    counted. As every reply in flight holds a reservation, replies that are asked for together can overshoot
    a budget by no more than what each of them was estimated too low.
    """

    def __init__(self, daily_tokens: Mapping[str, int], now: Callable[[], datetime] = utc_now) -> None:
        self._daily_tokens = daily_tokens
        self._now = now
        self._days: dict[str, _Day] = {}
        self._totals: dict[Account, Totals] = {}

    def reservation(self, reply_id: str, account: Account, tokens: int) -> Reservation:
        """What a reply that begins now is to hold."""
        return Reservation(reply_id, account, tokens, midnight(self._now()))

    def reserve(self, reservation: Reservation) -> None:
        """Sets tokens aside before a reply starts. Raises Failure (site-quota-exhausted)."""
        account, tokens = reservation.account, reservation.tokens
        if tokens and account.key == "site":
            day = self._day(account.model)
            self._check(account.model, day, tokens)
            day.reserved += tokens

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Gives the reservation back and counts what was used instead."""
        account = reservation.account
        if account.key == "site":
            day = self._day(account.model)
            # What was reserved yesterday went with that day; its tokens are used today.
            if day.day == reservation.day:
                day.reserved -= reservation.tokens
            day.used += usage.prompt_tokens + usage.completion_tokens
        totals = self._row(account)
        totals.replies += 1
        totals.usage = _sum(totals.usage, usage)

    async def totals(self, caller: str) -> list[Totals]:
        """What a caller has used, per kind of key and model."""
        return [row for row in self._totals.values() if row.account.caller == caller]

    async def budgets(self) -> list[Budget]:
        """How today's budgets stand."""
        named = {model for model in (*self._daily_tokens, *self._days) if self._budget(model) is not None}
        days = {model: self._day(model) for model in sorted(named - {ANY_MODEL, ""})}
        return [
            Budget(model, self._budget(model) or 0, day.used, day.reserved) for model, day in days.items()
        ]

    def resets_at(self) -> datetime:
        """When the next day's budgets begin: 00:00 UTC."""
        return midnight(self._now()) + timedelta(days=1)

    def _budget(self, model: str) -> int | None:
        return self._daily_tokens.get(model, self._daily_tokens.get(ANY_MODEL))

    def _check(self, model: str, day: _Day, tokens: int) -> None:
        budget = self._budget(model)
        if budget is None or day.used + day.reserved + tokens <= budget:
            return
        until = (self.resets_at() - self._now()).total_seconds()
        raise budget_exhausted(Budget(model, budget, day.used, day.reserved), tokens, until)

    def _day(self, model: str) -> _Day:
        today = midnight(self._now())
        if any(day.day != today for day in self._days.values()):
            self._days.clear()
        if model not in self._days and len(self._days) >= _MAX_ROWS:
            model = _OTHER
        return self._days.setdefault(model, _Day(today))

    def _row(self, account: Account) -> Totals:
        if account not in self._totals and len(self._totals) >= _MAX_ROWS:
            account = Account(account.caller, account.key, _OTHER)
        return self._totals.setdefault(account, Totals(account))


def midnight(moment: datetime) -> datetime:
    """When its day began."""
    return datetime.combine(moment.date(), time(), UTC)


def _sum(one: Usage, other: Usage) -> Usage:
    added = other.model_dump()
    return Usage(**{name: value + added[name] for name, value in one.model_dump().items()})
