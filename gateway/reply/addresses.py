"""A reply's id goes in, the addresses of its parts come out: paths without a host, fit for any origin."""

from __future__ import annotations

ROOT = "/v1/replies"


def reply_url(reply_id: str) -> str:
    """The reply itself."""
    return f"{ROOT}/{reply_id}"


def part_url(reply_id: str, part: str) -> str:
    """One of its parts, for example `events` or `video.mp4`."""
    return f"{ROOT}/{reply_id}/{part}"
