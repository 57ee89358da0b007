"""What has been used: tokens, speech and video of the caller's own replies, and how today's budgets stand."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel

from gateway.callers import Caller
from gateway.http.entrance import caller_of
from gateway.http.state import Gateway, gateway_of
from gateway.reply.events import Usage
from gateway.reply.ledger import KeyKind

router = APIRouter(prefix="/v1", tags=["usage"])


class BudgetItem(BaseModel):
    """Today's tokens of one model on the site's key; reserved ones belong to replies in flight."""

    model: str
    daily_tokens: int
    used_tokens: int
    reserved_tokens: int
    left_tokens: int


class UsageItem(BaseModel):
    """What one model cost on one kind of key. An empty model: none was asked."""

    key: KeyKind
    model: str
    replies: int
    usage: Usage


class UsageReport(BaseModel):
    """Totals since this gateway started, or of all that share a Valkey since they do.

    Budgets begin anew at `budgets_reset_at`.
    """

    caller: str
    budgets_reset_at: datetime
    budgets: list[BudgetItem]
    totals: list[UsageItem]


@router.get("/usage")
async def usage(
    response: Response,
    gateway: Annotated[Gateway, Depends(gateway_of)],
    caller: Annotated[Caller, Depends(caller_of)],
) -> UsageReport:
    """See what your replies have cost, and what today's budgets leave."""
    response.headers["Cache-Control"] = "no-store"
    return UsageReport(
        caller=caller.name,
        budgets_reset_at=gateway.ledger.resets_at(),
        budgets=[
            BudgetItem(
                model=budget.model,
                daily_tokens=budget.daily_tokens,
                used_tokens=budget.used_tokens,
                reserved_tokens=budget.reserved_tokens,
                left_tokens=max(0, budget.daily_tokens - budget.used_tokens - budget.reserved_tokens),
            )
            for budget in await gateway.ledger.budgets()
        ],
        totals=[
            UsageItem(key=row.account.key, model=row.account.model, replies=row.replies, usage=row.usage)
            for row in await gateway.ledger.totals(caller.name)
        ],
    )
