"""What replies at one gateway showed goes to the shared server, what those of all showed comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import structlog

from gateway.reply.estimates import Estimates
from gateway.reply.learned import MAX_LEARNED, Rate, weight
from gateway.valkey.answering import NO_ANSWER
from gateway.valkey.connection import Client
from gateway.valkey.scripts import Script, script

log = structlog.get_logger()

SHARE_SECONDS = 10.0
# A process that ends waits no longer for a server that is gone.
_LAST_SECONDS = 1.0
_VALUES, _TIMES = "visavis:estimates", "visavis:estimates:times"
_BETWEEN = "\n"


@asynccontextmanager
async def shared_estimates(client: Client, share_seconds: float = SHARE_SECONDS) -> AsyncIterator[Estimates]:
    """Estimates that all gateways learn together, brought up to date every `share_seconds` and at the end.

    A server that does not answer costs only what is learned meanwhile.
    """
    learn = script(client, "estimates_learn")
    estimates = Estimates()
    await share(estimates, learn)
    sharing = asyncio.create_task(_share_repeatedly(estimates, learn, share_seconds))
    try:
        yield estimates
    finally:
        sharing.cancel()
        await asyncio.wait({sharing})
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_SECONDS):
                await share(estimates, learn)


async def share(estimates: Estimates, learn: Script) -> None:
    """Tells what is new here and takes what is known."""
    news = estimates.take_news()
    told: list[str | float] = []
    for (rate, key), value in news:
        told += [f"{rate}{_BETWEEN}{key}", value, weight(rate)]
    try:
        answer = await learn([_VALUES, _TIMES], [MAX_LEARNED, *told])
    except NO_ANSWER as error:
        log.warning("estimates could not be shared", error=type(error).__name__)
        return
    names = [str(name, "utf-8").split(_BETWEEN, 1) for name in answer[::2]]
    # A newer gateway may have learned what this one has no name for.
    estimates.know(
        {
            (Rate(rate), key): float(value)
            for (rate, key), value in zip(names, answer[1::2], strict=True)
            if rate in set(Rate)
        }
    )


async def _share_repeatedly(estimates: Estimates, learn: Script, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        await share(estimates, learn)
