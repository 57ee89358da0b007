"""A request for a reply goes in, its video file comes out; progress and text are shown on the way."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import aclosing, suppress
from pathlib import Path

from visavis_client.client import AsyncClient, AsyncReply
from visavis_client.command.gateways import with_gateway
from visavis_client.command.interruption import run_until_signal
from visavis_client.command.plain_text import plain_text
from visavis_client.command.progress import ProgressDisplay, progress_display
from visavis_client.errors import VisavisError
from visavis_client.events import TextDelta, TextOk

Ask = Callable[[AsyncClient], Awaitable[AsyncReply]]
# How long a server may take to hear that nobody waits any more.
_CANCEL_SECONDS = 2.0
_CUTS = {
    "length": "The answer was cut off: it reached its greatest length.",
    "content_filter": "The answer was cut off by the language provider's filter.",
}


def record(server: str | None, ask: Ask, output: Path, *, typed_out: bool = False) -> None:
    """Asks, follows and saves. `typed_out` writes the reply's text to stdout as it arrives.

    Raises:
        VisavisError: it did not work.
        typer.Exit: a signal came; the reply was cancelled.
    """

    async def followed() -> None:
        with progress_display() as display:
            await with_gateway(
                server, display.say, lambda client: _record(client, ask, output, display, typed_out)
            )

    run_until_signal(followed())
    print(f"Saved {output}", file=sys.stderr)


async def _record(
    client: AsyncClient, ask: Ask, output: Path, display: ProgressDisplay, typed_out: bool
) -> None:
    display.say("Asking")
    reply = await ask(client)
    try:
        await (_follow_typing if typed_out else _follow)(reply, display)
        display.say("Saving")
        await reply.save(output)
    except asyncio.CancelledError:
        with suppress(VisavisError, TimeoutError):
            async with asyncio.timeout(_CANCEL_SECONDS):
                await reply.cancel()
        raise


async def _follow(reply: AsyncReply, display: ProgressDisplay) -> None:
    async with aclosing(reply.events()) as events:
        async for event in events:
            display.follow(event)


async def _follow_typing(reply: AsyncReply, display: ProgressDisplay) -> None:
    """As `_follow`, but from the text's first to its last word it has the terminal for itself."""
    typing = False
    async with aclosing(reply.events()) as events:
        try:
            async for event in events:
                if isinstance(event, TextDelta):
                    if not typing:
                        display.pause()
                        typing = True
                    sys.stdout.write(plain_text(event.delta))
                    sys.stdout.flush()
                elif isinstance(event, TextOk) and typing:
                    print(flush=True)
                    if event.finish_reason in _CUTS:
                        print(_CUTS[event.finish_reason], file=sys.stderr)
                    display.resume()
                    typing = False
                elif not typing:
                    display.follow(event)
        finally:
            if typing:
                print(flush=True)
