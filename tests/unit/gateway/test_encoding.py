"""Events that many read are encoded once; each reply's bytes carry its own signature."""

from __future__ import annotations

import json

from gateway.http.encoding import EncodedEvents
from gateway.http.signing import Signatures
from gateway.reply.events import LoggedEvent

SIGNED = Signatures(b"a key of this gateway")


def fragment(reply_id: str, position: int = 1) -> LoggedEvent:
    return LoggedEvent(position, "fragment", {"url": f"/v1/replies/{reply_id}/0.m4s"})


def test_all_readers_of_an_event_share_its_bytes() -> None:
    encoded = EncodedEvents()
    first = encoded.bytes_of("moon", fragment("moon"), "sse", SIGNED)
    assert encoded.bytes_of("moon", fragment("moon"), "sse", SIGNED) is first
    assert encoded.bytes_of("moon", fragment("moon"), "line", SIGNED) != first


def test_each_reply_has_its_own_signature() -> None:
    encoded = EncodedEvents()
    for reply_id in ("moon", "sea"):
        line = json.loads(encoded.bytes_of(reply_id, fragment(reply_id), "line", SIGNED))
        assert line["data"]["url"] == f"/v1/replies/{reply_id}/0.m4s{SIGNED.query(reply_id)}"


def test_what_is_no_longer_kept_is_encoded_again_and_the_same() -> None:
    encoded = EncodedEvents()
    first = encoded.bytes_of("moon", fragment("moon"), "sse", SIGNED)
    for position in range(2, 6_000):
        encoded.bytes_of("moon", fragment("moon", position), "sse", SIGNED)
    again = encoded.bytes_of("moon", fragment("moon"), "sse", SIGNED)
    assert again == first
    assert again is not first
