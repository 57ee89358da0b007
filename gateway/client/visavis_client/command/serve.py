"""A host and a port go in, a running local stack comes out, until Ctrl-C or SIGTERM."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer

from visavis_client.client import AsyncClient
from visavis_client.command.in_use import providers_in_use
from visavis_client.command.interruption import run_until_signal
from visavis_client.command.process_lines import ProcessLines
from visavis_client.local import CHECKOUT, local_stack


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


async def _serve(host: str, port: int) -> None:
    lines = ProcessLines()
    data = Path(os.environ.get("GATEWAY_DATA", CHECKOUT / "var" / "gateway"))
    async with local_stack(host, port, data, lines.show) as stack:
        lines.show("visavis", f"Starting on {stack.url} …")
        await stack.readiness()
        async with AsyncClient(stack.url) as client:
            async for sentence in providers_in_use(client):
                lines.show("visavis", sentence)
        lines.show("visavis", f"Ready: open {stack.url} (Ctrl-C stops everything)")
        await stack.while_running(asyncio.Event().wait())
