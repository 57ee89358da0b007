"""A request goes in, all that its client got out of it comes out, however often it had to come back."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.fakes.served_gateway import TERMINAL, Told

_BACK_SECONDS = 0.2


@dataclass(slots=True)
class Heard:
    """What one client heard. `reconnects`: how often it had to come back."""

    body: dict[str, Any]
    reply_id: str = ""
    events: list[Told] = field(default_factory=list)
    reconnects: int = 0


async def heard(base_url: str, key: str, body: dict[str, Any]) -> Heard:
    """Asks once, as an Idempotency-Key makes it, and listens to the end."""
    client = Heard(body)
    while not client.reply_id:
        client.reply_id = await _asked(base_url, key, body) or ""
    return await _heard_out(base_url, client)


async def heard_again(base_url: str, reply_id: str) -> Heard:
    """All of a reply, from the first event."""
    return await _heard_out(base_url, Heard({}, reply_id))


async def fetched(base_url: str, path: str) -> httpx.Response:
    """The answer to a GET, tried until there is a whole one."""
    while True:
        try:
            async with _client(base_url) as http:
                response = await http.get(path)
            if response.status_code < 500:
                return response
        except httpx.TransportError:
            pass
        await asyncio.sleep(_BACK_SECONDS)


def _client(base_url: str) -> httpx.AsyncClient:
    # Certificates, of which none is needed, would cost more time than all the rest.
    return httpx.AsyncClient(base_url=base_url, timeout=90, verify=False)


async def _heard_out(base_url: str, client: Heard) -> Heard:
    await _listen(base_url, client)
    while not client.events or client.events[-1].type not in TERMINAL:
        client.reconnects += 1
        await asyncio.sleep(_BACK_SECONDS)
        await _listen(base_url, client)
    return client


async def _asked(base_url: str, key: str, body: dict[str, Any]) -> str | None:
    try:
        async with _client(base_url) as http:
            response = await http.post("/v1/replies", json=body, headers={"Idempotency-Key": key})
        if response.status_code == 202:
            return str(response.json()["id"])
    except httpx.TransportError:
        pass
    await asyncio.sleep(_BACK_SECONDS)
    return None


async def _listen(base_url: str, client: Heard) -> None:
    """As EventSource does: after a break it names the last event that it has."""
    after = client.events[-1].id if client.events else 0
    url = f"/v1/replies/{client.reply_id}/events?after={after}"
    try:
        async with (
            _client(base_url) as http,
            http.stream("GET", url, headers={"Accept": "application/x-ndjson"}) as response,
        ):
            async for line in response.aiter_lines():
                if line and response.status_code == 200:
                    event = json.loads(line)
                    client.events.append(Told(event["id"], event["event"], event["data"]))
    except (httpx.TransportError, json.JSONDecodeError):
        # The last line was cut in the middle.
        pass
