"""An order goes in, with what is there of its reply; the journal of whoever works on it comes out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from gateway.media.timeline import FPS
from gateway.reply.costs import prompt_tokens
from gateway.reply.estimates import Estimates
from gateway.reply.event_log import EventLog
from gateway.reply.events import Usage
from gateway.reply.first_state import first_state
from gateway.reply.journal import Journal
from gateway.reply.learned import Rate
from gateway.reply.made import Made
from gateway.reply.orders import Order
from gateway.reply.progress import Progress
from gateway.reply.reply_state import ReplyState


def new_journal(order: Order, log: EventLog, estimates: Estimates) -> Journal:
    """Of a reply that is asked for now."""
    started = asyncio.get_running_loop().time()
    progress = Progress(first_state(order), estimates, _since(started))
    return _journal(order, log, progress, started)


def resumed_journal(
    order: Order, log: EventLog, estimates: Estimates, parts: Made, asked_at: float
) -> Journal:
    """Of a reply that was asked for at `asked_at`, in Unix seconds, and that another process began."""
    started = asyncio.get_running_loop().time() - max(0.0, time.time() - asked_at)
    progress = Progress(_state(order, parts, asked_at), estimates, _since(started), parts.fraction)
    journal = _journal(order, log, progress, started)
    journal.usage = _usage(order, parts, estimates)
    journal.video_url = parts.video_url
    if parts.text_ok is not None:
        journal.text_there.set()
    return journal


def _journal(order: Order, log: EventLog, progress: Progress, started: float) -> Journal:
    journal = Journal(order.reply_id, log, progress, started)
    if order.request.messages is None:
        journal.text_there.set()
    return journal


def _since(started: float) -> Callable[[], float]:
    clock = asyncio.get_running_loop().time
    return lambda: clock() - started


def _state(order: Order, parts: Made, asked_at: float) -> ReplyState:
    state = first_state(order)

    def at(event: str) -> float | None:
        return parts.at[event] - asked_at if event in parts.at else None

    state.characters = len(parts.text)
    state.spoken_characters = sum(len(utterance.text) for utterance in parts.utterances)
    state.first_text_at = at("text_delta")
    state.text_at = at("text_ok") if state.text_at is None else state.text_at
    state.first_speech_at = at("utterance")
    state.speech_at = at("audio_ok")
    state.speech_seconds = max(state.speech_seconds, parts.speech_seconds or parts.spoken_frames / FPS)
    state.first_fragment_at = at("fragment")
    state.video_seconds = parts.frame_count / FPS
    state.video_at = at("video_ok")
    return state


def _usage(order: Order, parts: Made, estimates: Estimates) -> Usage:
    """What is known of it. How long workers took for video that is there, only who died was told."""
    pace = estimates.rate(Rate.RENDER_SECONDS_PER_SECOND, order.avatar.id)
    usage = Usage(render_seconds=parts.frame_count / FPS * pace)
    if order.request.messages is None:
        return usage
    if parts.text_ok is not None:
        usage.prompt_tokens = parts.text_ok.usage.prompt_tokens
        usage.completion_tokens = parts.text_ok.usage.completion_tokens
    elif parts.text:
        usage.prompt_tokens = prompt_tokens(message.content for message in order.request.messages)
        usage.completion_tokens = parts.delta_count
    return usage
