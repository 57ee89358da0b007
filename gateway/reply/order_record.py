"""An order goes in, the text that others can go on from comes out, and an order again. No key is in it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from gateway.callers import Caller
from gateway.reply.ledger import Reservation
from gateway.reply.orders import Order
from gateway.requests import ReplyRequest
from gateway.stages.faces import ChosenAvatar


class OrderRecord(BaseModel):
    """What is kept of an order until its reply has ended. Uploaded speech lies beside the reply's media."""

    model_config = ConfigDict(ser_json_inf_nan="constants")

    reply_id: str
    request: ReplyRequest = Field(repr=False)
    avatar_id: str
    avatar_hash: str
    model: str
    text_provider: str
    speech_provider: str
    traceparent: str
    caller: Caller
    # The reply was asked for with a key that nobody else has.
    own_key: bool
    piece_count: int | None
    reservation: Reservation
    asked_at: float

    @classmethod
    def of(cls, order: Order, reservation: Reservation) -> Self:
        """What another process needs to know."""
        return cls(
            reply_id=order.reply_id,
            request=order.request,
            avatar_id=order.avatar.id,
            avatar_hash=order.avatar.hash,
            model=order.model,
            text_provider=order.text_provider,
            speech_provider=order.speech_provider,
            traceparent=order.traceparent,
            caller=order.caller,
            own_key=bool(order.caller_key),
            piece_count=None if order.pieces is None else len(order.pieces),
            reservation=reservation,
            asked_at=time.time(),
        )

    def order(self, avatar: ChosenAvatar, pieces: Sequence[bytes] | None = None) -> Order:
        """The order again, without a caller's own key."""
        return Order(
            reply_id=self.reply_id,
            request=self.request,
            avatar=avatar,
            model=self.model,
            text_provider=self.text_provider,
            speech_provider=self.speech_provider,
            traceparent=self.traceparent,
            caller=self.caller,
            pieces=pieces,
        )
