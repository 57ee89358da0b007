"""A host and a port go in, a running local stack comes out, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Annotated

import typer

from visavis_client.client import AsyncClient
from visavis_client.command.in_use import providers_in_use
from visavis_client.command.interruption import run_until_signal
from visavis_client.command.process_lines import ProcessLines
from visavis_client.errors import VisavisError
from visavis_client.local import CHECKOUT, local_stack

_PROVIDER_TRIES = 6
_PROVIDER_PAUSE_SECONDS = 0.5


def serve(
    port: Annotated[
        int, typer.Option(help="Where the page is served.", envvar="PORT", min=1, max=65535)
    ] = 8000,
    host: Annotated[
        str, typer.Option(help="The address to listen on; 0.0.0.0 opens it to the network.")
    ] = "127.0.0.1",
) -> None:
    """Start text, speech, video and the gateway on this machine, and stop them all on Ctrl-C."""
    try:
        run_until_signal(_serve(host, port))
    except typer.Exit:
        # Being told to stop is how a server ends well.
        raise typer.Exit(0) from None


async def _known_providers(client: AsyncClient) -> list[str]:
    """Who writes and speaks; nothing where the gateway does not say, which is no reason not to serve.

    A page that asked for its lists too early makes the gateway repeat its refusal for a second.
    """
    for _ in range(_PROVIDER_TRIES):
        with suppress(VisavisError):
            return [sentence async for sentence in providers_in_use(client)]
        await asyncio.sleep(_PROVIDER_PAUSE_SECONDS)
    return []


async def _serve(host: str, port: int) -> None:
    lines = ProcessLines()
    data = os.environ.get("GATEWAY_DATA") or str(CHECKOUT / "var" / "gateway")
    async with local_stack(host, port, data, lines.show) as stack:
        lines.show("visavis", f"Starting on {stack.url} …")
        await stack.readiness()
        async with AsyncClient(stack.url) as client:
            for sentence in await _known_providers(client):
                lines.show("visavis", sentence)
        lines.show("visavis", f"Ready: open {stack.url} (Ctrl-C stops everything)")
        await stack.while_running(asyncio.Event().wait())
