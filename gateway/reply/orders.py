"""What one reply was asked for, checked and complete: what the pipeline needs and nothing else."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from gateway.callers import NOBODY_IN_PARTICULAR, Caller
from gateway.reply.ledger import Account
from gateway.requests import ReplyRequest
from gateway.stages.faces import ChosenAvatar
from gateway.stages.speech import Manner
from gateway.stages.text import Conversation


def new_reply_id() -> str:
    """32 hex digits that nobody guesses; they begin with the time in ms, so that names sort by age."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


@dataclass(frozen=True, slots=True)
class Order:
    """A reply to be made. `pieces`: uploaded speech on the frame grid; None: none was uploaded."""

    reply_id: str
    request: ReplyRequest
    avatar: ChosenAvatar
    # Named or the default; empty where only the text stage can say which.
    model: str
    traceparent: str
    # As far as the stages can be asked.
    text_provider: str = ""
    speech_provider: str = ""
    caller_key: str = field(default="", repr=False)
    pieces: Sequence[bytes] | None = field(default=None, repr=False)
    caller: Caller = NOBODY_IN_PARTICULAR

    @property
    def source(self) -> Conversation | str:
        """What the text service is asked: a conversation, or a text word for word."""
        request = self.request
        if request.messages is None:
            return request.say or ""
        return Conversation(
            messages=[(message.role, message.content) for message in request.messages],
            model=request.model,
            temperature=request.temperature,
            max_tokens=request.max_tokens,
            presence_penalty=request.presence_penalty,
            frequency_penalty=request.frequency_penalty,
            stop=request.stop,
            logit_bias=request.logit_bias,
            api_key=self.caller_key,
        )

    @property
    def account(self) -> Account:
        """Who pays."""
        model = "" if self.request.messages is None else self.model
        return Account(self.caller.name, "caller" if self.caller_key else "site", model)

    @property
    def writer(self) -> str:
        """What its text's estimates are learned by: the provider and its model."""
        return "/".join(filter(None, (self.text_provider, self.model)))

    @property
    def manner(self) -> Manner:
        """How to speak."""
        request = self.request
        return Manner(request.voice, request.speaking_rate or 0.0, request.pitch_semitones or 0.0)
