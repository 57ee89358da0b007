"""An order goes in, what is known of its reply before any work comes out."""

from __future__ import annotations

from gateway.media.timeline import BYTES_PER_SAMPLE, SPEECH_RATE_HZ
from gateway.reply.estimates import likely_language
from gateway.reply.orders import Order
from gateway.reply.reply_state import ReplyState


def first_state(order: Order) -> ReplyState:
    """For the estimate that the client is told at once."""
    request = order.request
    said = request.say or (request.messages[-1].content if request.messages else "")
    language = likely_language(said) if request.language == "auto" else request.language
    state = ReplyState(
        language=language,
        writer=order.writer,
        avatar=order.avatar.id,
        wants_speech=request.wants_speech,
        wants_video=request.wants_video,
        speech_provider=order.speech_provider,
        voice=request.voice,
        speaking_rate=request.speaking_rate or 1.0,
    )
    if request.say is not None:
        state.expected_characters = len(request.say)
    if order.pieces is not None:
        state.expected_characters = 0
        state.text_at = 0.0
        state.speech_seconds = sum(map(len, order.pieces)) / BYTES_PER_SAMPLE / SPEECH_RATE_HZ
    return state
