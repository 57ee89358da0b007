"""A reply's id goes in, the names of its log and of who makes it come out, each beginning with `visavis:`."""

from __future__ import annotations

# Every reply that has a log: the member is its id, the score when it ended in Unix ms, inf while it runs.
REPLIES = "visavis:replies"
# Orders of replies that are being made, each until its reply has ended.
ORDERS = "visavis:orders"
# Whoever lets go of replies says so here.
RELEASES = "visavis:releases"
CLAIM_PREFIX = "visavis:claim:"
INBOX_PREFIX = "visavis:inbox:"
LOG_PREFIX = "visavis:log:"


def log_key(reply_id: str) -> str:
    """A hash: who asked, the newest event's id, and who may append."""
    return LOG_PREFIX + reply_id


def events_key(reply_id: str) -> str:
    """A stream: event n has the id n-0."""
    return f"visavis:events:{reply_id}"


def claim_key(reply_id: str) -> str:
    """A hash: the entry of the reply's order, who makes it, and whether it is to be cancelled."""
    return CLAIM_PREFIX + reply_id


def inbox_key(replica: str) -> str:
    """A stream of notes to one process."""
    return INBOX_PREFIX + replica
