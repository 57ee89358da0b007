"""A server's address and a key go in, what an httpx client needs comes out; its errors become our own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from visavis_client.errors import Unreachable, UnusableKey, response_problem

Content = TypeVar("Content", bound=BaseModel)

# The gateway pings an idle line every 15 s: one that is silent for longer than this is dead.
_SILENCE_SECONDS = 40.0
_CONNECT_SECONDS = 10.0
# Checked here: httpx quotes the header that it refuses.
_HEADER_VALUE = re.compile(r"[ -~]*")


def connection(server: str, api_key: str | None) -> dict[str, Any]:
    """Arguments for `httpx.Client` and `httpx.AsyncClient`.

    Raises:
        ValueError: the address is not an http(s) URL.
        UnusableKey: it can be sent in no header.
    """
    try:
        url = httpx.URL(server)
    except httpx.InvalidURL:
        url = httpx.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise ValueError(f"{server!r} is not an address of a server, such as http://127.0.0.1:8000")
    return {
        "base_url": url,
        # No proxy reaches this machine's own loopback.
        "trust_env": not _is_loopback(url.host),
        "headers": {"Authorization": f"Bearer {sendable('The API key', api_key)}"} if api_key else {},
        "timeout": httpx.Timeout(_SILENCE_SECONDS, connect=_CONNECT_SECONDS),
    }


def sendable(name: str, key: str) -> str:
    """The key without white space around it, as from a file's last line. Raises UnusableKey."""
    key = key.strip()
    if not _HEADER_VALUE.fullmatch(key):
        raise UnusableKey(f"{name} holds a character that no HTTP header may carry. Copy it again.")
    return key


@contextmanager
def translated(server: httpx.URL) -> Iterator[None]:
    """Turns a failure to reach the server into `Unreachable`."""
    try:
        yield
    except (httpx.TransportError, httpx.InvalidURL) as error:
        # Never the URL of the request: it may carry a signature.
        raise Unreachable(f"No answer from {server}: {error or type(error).__name__}") from None


def parsed(model: type[Content], response: httpx.Response) -> Content:
    """What a successful response holds.

    Raises:
        Problem: the gateway refuses.
        Unreachable: something else than a gateway has answered.
    """
    if response.is_error:
        raise response_problem(response)
    try:
        return model.model_validate_json(response.content)
    except ValidationError:
        raise Unreachable(f"What answers at {response.url.host} is not a gateway of Vis-à-vis.") from None


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
