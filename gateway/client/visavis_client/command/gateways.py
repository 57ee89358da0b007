"""A server's address, or none, goes in; what was done with it, or with one started here, comes out."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from visavis_client.client import AsyncClient
from visavis_client.local import local_stack

Result = TypeVar("Result")

# Not an option: other users of a machine see what was typed.
API_KEY = "VISAVIS_API_KEY"


async def with_gateway(
    server: str | None, say: Callable[[str], None], work: Callable[[AsyncClient], Coroutine[Any, Any, Result]]
) -> Result:
    """The result of `work`. Without a server, a local stack runs for as long, quietly; `say` is told so.

    Raises:
        VisavisError: as `work`, or the local stack did not start.
    """
    if server is not None:
        return await _with_client(server, work)
    say("Starting text, speech and video on this machine")
    with tempfile.TemporaryDirectory(prefix="visavis-") as data:
        async with local_stack("127.0.0.1", 0, data, lambda _name, _line: None) as stack:
            await stack.readiness()
            return await stack.while_running(_with_client(stack.url, work))


async def _with_client(server: str, work: Callable[[AsyncClient], Awaitable[Result]]) -> Result:
    async with AsyncClient(server, api_key=os.environ.get(API_KEY)) as client:
        return await work(client)
