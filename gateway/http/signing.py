"""Addresses of a reply's parts go in, the same ones come out with a signature that lets their reader in.

EventSource, `<video>` and WebSocket can send no Authorization header. The signature is one per reply, only
reads, and is worth nothing once the reply is gone.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from gateway.reply.addresses import ROOT

PARAMETER = "token"


class Signatures:
    """Made with one key, which all replicas of a gateway share; None: nobody needs a signature here."""

    def __init__(self, key: bytes | None) -> None:
        self._key = key

    def query(self, reply_id: str) -> str:
        """What is put behind a part's address."""
        return "" if self._key is None else f"?{PARAMETER}={self._signature(self._key, reply_id)}"

    def opens(self, token: str, reply_id: str) -> bool:
        """Whether this is the reply's signature."""
        if self._key is None:
            return False
        return hmac.compare_digest(token.encode(), self._signature(self._key, reply_id).encode())

    def signed(self, reply_id: str, data: Any) -> Any:
        """The data of an event or a snapshot with every address of the reply's parts signed."""
        query = self.query(reply_id)
        return _with_query(data, f"{ROOT}/{reply_id}", query) if query else data

    @staticmethod
    def _signature(key: bytes, reply_id: str) -> str:
        return hmac.new(key, f"reply:{reply_id}".encode(), hashlib.sha256).hexdigest()


def _with_query(data: Any, root: str, query: str) -> Any:
    if isinstance(data, list):
        return [_with_query(item, root, query) for item in data]
    if not isinstance(data, dict):
        return data
    return {
        name: value + query
        if isinstance(value, str) and name.endswith("url") and value.startswith(root)
        else _with_query(value, root, query)
        for name, value in data.items()
    }
