"""Lines that name callers and hash their API keys go in; whose key a secret is comes out."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

ANONYMOUS = "anonymous"
_LINE = re.compile(r"(?P<name>\w[\w.@-]{0,63})\s+(?P<digest>[0-9a-f]{64})(?P<limits>(\s+\w+=[1-9]\d{0,5})*)")


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever asks, and how much at once. What a caller made is nobody else's to see."""

    name: str
    running: float = 4
    per_minute: float = 60


# Everybody, on a gateway without keys: only its own bounds hold.
NOBODY_IN_PARTICULAR = Caller(ANONYMOUS, math.inf, math.inf)


class ApiKeys:
    """Keys at rest are SHA-256 digests: enough for keys that are long and random, as these must be."""

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = dict(callers)

    def __bool__(self) -> bool:
        return bool(self._callers)

    def holder(self, secret: str) -> Caller | None:
        """Whose key this is."""
        return self._callers.get(hashlib.sha256(secret.encode()).hexdigest())


def api_keys(text: str) -> ApiKeys:
    """The keys in lines (or parts between semicolons) of `name sha256 [running=4] [per_minute=60]`.

    Raises ValueError, which quotes no digest.
    """
    callers: dict[str, Caller] = {}
    lines = [line.split("#", 1)[0].strip() for line in text.replace(";", "\n").splitlines()]
    for number, line in enumerate(filter(None, lines), 1):
        match = _LINE.fullmatch(line)
        limits = dict(pair.split("=") for pair in match["limits"].split()) if match else {}
        if match is None or limits.keys() - {"running", "per_minute"} or match["name"] == ANONYMOUS:
            raise ValueError(
                f"API key {number} must read: name (a letter or digit first), the key's SHA-256 in "
                "lower-case hex, and optionally running=4 per_minute=60"
            )
        callers[match["digest"]] = Caller(
            match["name"], int(limits.get("running", 4)), int(limits.get("per_minute", 60))
        )
    return ApiKeys(callers)
