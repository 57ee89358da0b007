"""What was learned goes into a small file now and then, and comes out of it at the next start."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from gateway.reply.estimates import Estimates
from gateway.reply.learned import Rate

log = structlog.get_logger()

SAVE_SECONDS = 30.0
_LARGEST = 1e6


@asynccontextmanager
async def kept_estimates(file: Path | None, save_seconds: float = SAVE_SECONDS) -> AsyncIterator[Estimates]:
    """The estimates of the last run, written back every `save_seconds` and at the end; None: not kept.

    A file that cannot be read or written costs only what was learned.
    """
    if file is None:
        yield Estimates()
        return
    estimates = await asyncio.to_thread(loaded, file)
    saving = asyncio.create_task(_save_repeatedly(estimates, file, save_seconds))
    try:
        yield estimates
    finally:
        saving.cancel()
        await asyncio.wait({saving})
        await asyncio.to_thread(_save, _content(estimates), file)


def loaded(file: Path) -> Estimates:
    """What the file holds; nothing learned where it is missing or broken."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        learned = {(Rate(name), str(key)): float(value) for name, key, value in rows}
    except FileNotFoundError:
        return Estimates()
    except (OSError, ValueError, TypeError) as error:
        log.warning("estimates could not be read, learning anew", error=type(error).__name__)
        return Estimates()
    return Estimates({known: value for known, value in learned.items() if 0 <= value < _LARGEST})


async def _save_repeatedly(estimates: Estimates, file: Path, seconds: float) -> None:
    saved = ""
    while True:
        await asyncio.sleep(seconds)
        content = _content(estimates)
        if content != saved:
            await asyncio.to_thread(_save, content, file)
            saved = content


def _content(estimates: Estimates) -> str:
    return json.dumps([[rate, key, round(value, 4)] for (rate, key), value in estimates.learned.items()])


def _save(content: str, file: Path) -> None:
    """Written beside and moved into place: whoever reads it finds the old content or the new one."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=file.parent, prefix=file.name, delete=False
        ) as beside:
            beside.write(content)
        os.replace(beside.name, file)  # noqa: PTH105
    except OSError as error:
        log.warning("estimates could not be saved", error=type(error).__name__)
