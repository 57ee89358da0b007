"""A request's headers go in; out comes why it is refused, while nobody needs a key to get in."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Mapping

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def is_loopback(host: str) -> bool:
    """Whether a name or address means this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def refused_socket(headers: Mapping[str, str], origins: Collection[str]) -> str | None:
    """Why a WebSocket is refused, or None: browsers let any page open one, and say in Origin which it is."""
    origin = headers.get("origin")
    if origin is None or origin in origins or origin.partition("://")[2] == headers.get("host"):
        return None
    return "Pages of other sites may not open sockets here; GATEWAY_ORIGINS lists those that may."


def refused_visit(method: str, headers: Mapping[str, str], origins: Collection[str]) -> str | None:
    """Why a request to an open gateway on loopback is refused, or None.

    Any page in the user's browser can reach loopback: under a name of its own that it points here (the Host
    header shows it), or by a form or script of another site (browsers mark that in Sec-Fetch-Site).
    """
    host = headers.get("host", "")
    name = host if host.endswith("]") else host.rsplit(":", 1)[0]
    if name and not is_loopback(name):
        return (
            f"This gateway answers on this machine only, not as {name[:80]!r}. "
            "Set GATEWAY_ALLOW_OPEN=true if others may use it without a key."
        )
    foreign = headers.get("sec-fetch-site") == "cross-site" and headers.get("origin") not in origins
    if method in _CHANGING and foreign:
        return "Pages of other sites may not use this gateway."
    return None
