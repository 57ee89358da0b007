"""A gateway goes in, a table of its voices or its avatars comes out."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.table import Table

from visavis_client.catalogue import Avatar, Voice
from visavis_client.client import AsyncClient
from visavis_client.command.gateways import with_gateway
from visavis_client.command.interruption import run_until_signal
from visavis_client.command.options import Server
from visavis_client.command.plain_text import plain_text


def voices(server: Server = None) -> None:
    """List the voices for --voice."""
    found: list[Voice] = run_until_signal(with_gateway(server, _say, AsyncClient.voices))
    _print_table(
        ("voice", "languages", "gender", "", "made by"),
        (
            (
                voice.name,
                ", ".join(voice.languages),
                voice.gender,
                "default" if voice.default else "",
                voice.provider.name,
            )
            for voice in found
        ),
    )


def avatars(server: Server = None) -> None:
    """List the faces for --avatar."""
    found: list[Avatar] = run_until_signal(with_gateway(server, _say, AsyncClient.avatars))
    _print_table(
        ("avatar", "name", ""),
        ((avatar.id, avatar.name, "default" if avatar.default else "") for avatar in found),
    )


def _print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    table = Table(*titles)
    for row in rows:
        table.add_row(*(plain_text(cell) for cell in row))
    Console(markup=False).print(table)


def _say(sentence: str) -> None:
    print(f"{sentence} …", file=sys.stderr, flush=True)
