"""What another process needs of an order survives being kept; a caller's own key is not in it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.ledger import Account, Reservation
from gateway.reply.order_record import OrderRecord
from gateway.reply.orders import Order
from gateway.requests import Message, ReplyRequest
from gateway.stages.faces import ChosenAvatar

ASKED = ReplyRequest(
    messages=[Message(role="user", content="Tell me about the moon.")], temperature=0, logit_bias={"moon": -5}
)
RESERVATION = Reservation("a", Account("somebody", "site", "tiny"), 300, datetime(2026, 11, 20, tzinfo=UTC))


@pytest.mark.parametrize("caller", [NOBODY_IN_PARTICULAR, Caller("somebody", 4, 60)])
def test_an_order_comes_back_as_it_was_but_for_the_key(caller: Caller) -> None:
    order = Order(
        reply_id="a",
        request=ASKED,
        avatar=ChosenAvatar("amara", "0f" * 16),
        model="tiny",
        traceparent="00-1-2-01",
        text_provider="embedded",
        speech_provider="pico",
        caller_key="mine alone",
        caller=caller,
    )
    kept = OrderRecord.of(order, RESERVATION).model_dump_json()
    assert "mine alone" not in kept
    record = OrderRecord.model_validate_json(kept)
    assert (record.own_key, record.reservation) == (True, RESERVATION)
    again = record.order(order.avatar)
    assert again.request == ASKED
    assert (again.caller, again.source.api_key) == (caller, "")  # type: ignore[union-attr]
    assert (again.model, again.text_provider, again.speech_provider) == ("tiny", "embedded", "pico")
