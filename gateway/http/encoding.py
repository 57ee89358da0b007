"""Events go in, the bytes that clients get come out: made once, however many readers a reply has."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Literal

from fastapi.sse import format_sse_event

from gateway.http.signing import Signatures
from gateway.reply.events import LoggedEvent

# As server-sent events have it, or as one line of JSON {id, event, data}.
Form = Literal["sse", "line"]
# Readers hear of an event at about the same time: a few seconds of all replies are enough.
_MOST_KEPT = 4_096


class EncodedEvents:
    """The newest events' bytes, addresses signed. An event never changes, nor does its reply's signature."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int, Form], bytes] = {}

    def bytes_of(self, reply_id: str, event: LoggedEvent, form: Form, signatures: Signatures) -> bytes:
        """The event in this form, without the line's end."""
        key = (reply_id, event.id, form)
        known = self._kept.get(key)
        if known is None:
            known = encoded(replace(event, data=signatures.signed(reply_id, event.data)), form)
            if len(self._kept) >= _MOST_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = known
        return known


def encoded(event: LoggedEvent, form: Form) -> bytes:
    """The event in this form as it stands, without the line's end."""
    if form == "sse":
        return format_sse_event(id=str(event.id), event=event.type, data_str=_json(event.data))
    return _json({"id": event.id, "event": event.type, "data": event.data}).encode()


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))
