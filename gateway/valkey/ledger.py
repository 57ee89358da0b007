"""Costs of replies at any gateway go in; refusals beyond a day's budget, and totals, come out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any

from visavis.rpc.failures import Failure

from gateway.reply.events import Usage
from gateway.reply.ledger import (
    ANY_MODEL,
    Account,
    Budget,
    KeyKind,
    Reservation,
    Totals,
    budget_exhausted,
    midnight,
    utc_now,
)
from gateway.valkey.answering import answering
from gateway.valkey.connection import Client
from gateway.valkey.scripts import Part, script

_DAY_KEPT_SECONDS = 2 * 24 * 3600
# Fields of a caller's hash: some eight for each key and model.
_MAX_FIELDS = 16_000
_OTHER = "(other)"
_BETWEEN = "\n"
_NO_BUDGET = -1


class ValkeyLedger:
    """Counts for all gateways that share the server."""

    def __init__(
        self, client: Client, daily_tokens: Mapping[str, int], now: Callable[[], datetime] = utc_now
    ) -> None:
        self._client = client
        self._daily_tokens = daily_tokens
        self._now = now
        self._reserved = script(client, "ledger_reserved")
        self._settle = script(client, "ledger_settle")

    def reservation(self, reply_id: str, account: Account, tokens: int) -> Reservation:
        """What a reply that begins now is to hold."""
        return Reservation(reply_id, account, tokens, midnight(self._now()))

    def begun(self, reservation: Reservation) -> Part:
        """The reservation is made, if the day's budget allows it."""
        account, day = reservation.account, reservation.day
        budget = self._budget(account.model)
        return Part(
            [_used_key(day), _reserved_key(day, account.model)],
            [
                account.model,
                reservation.tokens if account.key == "site" else 0,
                _NO_BUDGET if budget is None else budget,
                _DAY_KEPT_SECONDS,
            ],
        )

    def refusal(self, reservation: Reservation, used: int, reserved: int) -> Failure:
        """The day's budget, of which so much is gone, does not allow it."""
        model = reservation.account.model
        until = (self.resets_at() - self._now()).total_seconds()
        return budget_exhausted(
            Budget(model, self._budget(model) or 0, used, reserved), reservation.tokens, until
        )

    async def settle(self, reservation: Reservation, usage: Usage) -> None:
        """Gives the reservation back and counts what was used instead."""
        account = reservation.account
        today = midnight(self._now())
        on_site = account.key == "site"
        used = {"replies": 1} | usage.model_dump()
        with answering():
            await self._settle(
                [
                    _settled_key(reservation.reply_id),
                    _used_key(today),
                    _reserved_key(today, account.model),
                    _reserved_key(today - timedelta(days=1), account.model),
                    _totals_key(account.caller),
                ],
                [
                    reservation.reply_id,
                    account.model,
                    usage.prompt_tokens + usage.completion_tokens if on_site else 0,
                    _DAY_KEPT_SECONDS,
                    _MAX_FIELDS,
                    _row(account.key, account.model),
                    _row(account.key, _OTHER),
                    *chain.from_iterable(used.items()),
                ],
            )

    async def totals(self, caller: str) -> list[Totals]:
        """What a caller has used, per kind of key and model."""
        with answering():
            fields: Any = await self._client.hgetall(_totals_key(caller))
        rows: dict[tuple[str, str], dict[str, float]] = {}
        for field, amount in fields.items():
            key, model, name = str(field, "utf-8").split(_BETWEEN)
            rows.setdefault((key, model), {})[name] = float(amount)
        return [
            Totals(
                Account(caller, "site" if key == "site" else "caller", model),
                round(row.pop("replies", 0)),
                Usage.model_validate(row),
            )
            for (key, model), row in sorted(rows.items())
        ]

    async def budgets(self) -> list[Budget]:
        """How today's budgets stand."""
        today = midnight(self._now())
        with answering():
            used: Any = await self._client.hgetall(_used_key(today))
            seen = {str(model, "utf-8"): int(tokens) for model, tokens in used.items()}
            named = {model for model in (*self._daily_tokens, *seen) if self._budget(model) is not None}
            models = sorted(named - {ANY_MODEL, ""})
            reserved = await self._reserved([_reserved_key(today, model) for model in models], [])
        return [
            Budget(model, self._budget(model) or 0, seen.get(model, 0), tokens)
            for model, tokens in zip(models, reserved, strict=True)
        ]

    def resets_at(self) -> datetime:
        """When the next day's budgets begin: 00:00 UTC."""
        return midnight(self._now()) + timedelta(days=1)

    def _budget(self, model: str) -> int | None:
        return self._daily_tokens.get(model, self._daily_tokens.get(ANY_MODEL))


def _row(key: KeyKind, model: str) -> str:
    return f"{key}{_BETWEEN}{model}{_BETWEEN}"


def _used_key(day: datetime) -> str:
    """A hash: tokens used on the site's key, by model."""
    return f"visavis:tokens:{day:%Y-%m-%d}"


def _reserved_key(day: datetime, model: str) -> str:
    """A hash: tokens that a reply holds and the Unix ms until which it may, by the reply's id."""
    return f"visavis:reserved:{day:%Y-%m-%d}:{model}"


def _settled_key(reply_id: str) -> str:
    """There, once the reply was counted."""
    return f"visavis:settled:{reply_id}"


def _totals_key(caller: str) -> str:
    """A hash of amounts, by kind of key, model and what was used."""
    return f"visavis:totals:{caller}"
