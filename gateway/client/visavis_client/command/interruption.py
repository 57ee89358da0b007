"""A coroutine goes in, its result or the exit code of the signal that stopped it comes out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any, TypeVar

import typer

Result = TypeVar("Result")


def run_until_signal(work: Coroutine[Any, Any, Result]) -> Result:
    """Runs `work`; SIGINT and SIGTERM cancel it, so that it cleans up; a second one cancels the clean-up.

    Raises:
        typer.Exit: a signal came; the code is 128 + its number, as shells expect.
    """
    received: list[signal.Signals] = []

    async def interruptible() -> Result:
        task = asyncio.current_task()
        assert task is not None
        loop = asyncio.get_running_loop()

        def interrupt(number: signal.Signals) -> None:
            received.append(number)
            task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, interrupt, number)
        return await work

    try:
        return asyncio.run(interruptible())
    except asyncio.CancelledError:
        raise typer.Exit(128 + received[0]) from None
