"""The name of a script goes in, the script comes out: called, it runs as one step on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from gateway.valkey.connection import Client


@dataclass(frozen=True, slots=True)
class Part:
    """What one store has to say in a script that concerns several."""

    keys: Sequence[str]
    args: Sequence[str | float]


class Script(Protocol):
    """A Lua script. The server keeps it by its hash; where it forgot it, it is sent again."""

    async def __call__(self, keys: Sequence[str], args: Sequence[bytes | str | float]) -> Any:
        """What the script returns: integers, bytes, None, and lists of these."""


def script(client: Client, name: str) -> Script:
    """The script in `<name>.lua` beside this file."""
    source = (Path(__file__).parent / f"{name}.lua").read_text(encoding="utf-8")
    registered: Script = client.register_script(source)
    return registered
