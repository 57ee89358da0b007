"""Replies that start and end go in, Prometheus metrics come out."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from gateway.reply.events import Done, Problem, Usage
from gateway.reply.journal import Journal
from gateway.reply.ledger import KeyKind

_SECONDS = (0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 8, 13, 21, 34, 55, 120, 300, 600)

RUNNING = Gauge("visavis_replies_running", "Replies that are being made")
TAKEN_OVER = Counter(
    "visavis_replies_taken_over_total", "Replies that went on here after their gateway was gone"
)
REPLIES = Counter(
    "visavis_replies_total", "Replies that ended: completed, cancelled, or a problem's type", ["outcome"]
)
TOKENS = Counter("visavis_reply_tokens_total", "Tokens, by who pays: site or caller", ["key", "kind"])
MEDIA_SECONDS = Counter(
    "visavis_reply_media_seconds_total", "Speech and video made, and compute spent on video", ["kind"]
)
REPLY_SECONDS = Histogram("visavis_reply_seconds", "From the POST to done", buckets=_SECONDS)
FIRST_FRAGMENT_SECONDS = Histogram(
    "visavis_first_fragment_seconds", "From the POST to the first fragment", buckets=_SECONDS
)
ESTIMATE_ERROR_SECONDS = Histogram(
    "visavis_estimate_error_seconds", "How far the told end was from the real one", ["at"], buckets=_SECONDS
)


def count_reply(terminal: Done | Problem, journal: Journal, key: KeyKind) -> None:
    """Takes in a reply that has ended in this event."""
    outcome = terminal.status if isinstance(terminal, Done) else terminal.type
    REPLIES.labels(outcome).inc()
    _count_usage(journal.usage, key)
    if journal.state.first_fragment_at is not None:
        FIRST_FRAGMENT_SECONDS.observe(journal.state.first_fragment_at)
    if outcome == "completed":
        REPLY_SECONDS.observe(journal.now())
        for event_name, end in journal.told.items():
            ESTIMATE_ERROR_SECONDS.labels(event_name).observe(abs(journal.now() - end))


def _count_usage(usage: Usage, key: KeyKind) -> None:
    TOKENS.labels(key, "prompt").inc(usage.prompt_tokens)
    TOKENS.labels(key, "completion").inc(usage.completion_tokens)
    MEDIA_SECONDS.labels("speech").inc(usage.speech_seconds)
    MEDIA_SECONDS.labels("video").inc(usage.video_seconds)
    MEDIA_SECONDS.labels("render").inc(usage.render_seconds)
