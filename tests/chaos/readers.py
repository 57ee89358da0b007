"""A request goes in, all that its client got out of it comes out, however often it had to come back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import SSEError, aconnect_sse

from tests.fakes.served_gateway import TERMINAL, Told

_BACK_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class Site:
    """Where clients ask, with which key; `take_event` is called when one of them hears of something new."""

    url: str
    secret: str = field(repr=False)
    take_event: Callable[[], None] = lambda: None

    def client(self, *, with_key: bool = True) -> httpx.AsyncClient:
        """One with connections of its own. Nobody has vouched for the proxy's certificate."""
        headers = {"Authorization": f"Bearer {self.secret}"} if with_key else {}
        return httpx.AsyncClient(base_url=self.url, headers=headers, timeout=90, verify=False)


@dataclass(slots=True)
class Heard:
    """What one client heard. `reconnects`: how often it had to come back."""

    body: dict[str, Any]
    reply_id: str = ""
    # Signed: it needs no key.
    events_url: str = ""
    events: list[Told] = field(default_factory=list)
    reconnects: int = 0

    @property
    def last_id(self) -> int:
        """Of the newest event; 0: none."""
        return self.events[-1].id if self.events else 0

    @property
    def ended(self) -> bool:
        """Nothing more will come."""
        return bool(self.events) and self.events[-1].type in TERMINAL


async def heard(site: Site, key: str, body: dict[str, Any], *, as_page: bool = False) -> Heard:
    """Asks once, as an Idempotency-Key makes it, and listens to the end: to NDJSON, or as pages do."""
    client = Heard(body)
    while not client.reply_id:
        await _ask(site, key, client)
    while not client.ended:
        await _listen(site, client, _page_events if as_page else _lines)
    return client


async def whole_log(site: Site, reply_id: str) -> list[Told]:
    """All events of a reply that has ended."""
    client = Heard({}, reply_id)
    while not client.ended:
        await _listen(site, client, _lines)
    return client.events


async def fetched(site: Site, reply_id: str, names: Iterable[str]) -> dict[str, bytes]:
    """Files of a reply that has ended."""
    async with site.client() as http:
        answers = {name: await http.get(f"/v1/replies/{reply_id}/{name}") for name in names}
    assert {answer.status_code for answer in answers.values()} == {200}
    return {name: answer.content for name, answer in answers.items()}


async def _ask(site: Site, key: str, client: Heard) -> None:
    try:
        async with site.client() as http:
            response = await http.post("/v1/replies", json=client.body, headers={"Idempotency-Key": key})
    except httpx.TransportError:
        await asyncio.sleep(_BACK_SECONDS)
        return
    if response.status_code == 202:
        made = response.json()
        client.reply_id, client.events_url = made["id"], made["events_url"]
        return
    # A gateway that drains, a proxy that finds none, a key with too many replies at once.
    assert response.status_code in (429, 502, 503, 504), response.text
    await asyncio.sleep(_BACK_SECONDS)


async def _listen(
    site: Site, client: Heard, told: Callable[[Site, Heard], AsyncGenerator[Told, None]]
) -> None:
    """Takes in what comes until the line breaks."""
    try:
        async with aclosing(told(site, client)) as events:
            async for event in events:
                client.events.append(event)
                # Of progress a slow machine tells more.
                if event.type != "progress":
                    site.take_event()
    except (httpx.TransportError, json.JSONDecodeError, SSEError):
        # The last line may be cut in the middle; and what a proxy says in a gateway's place is no event.
        pass
    if not client.ended:
        client.reconnects += 1
        await asyncio.sleep(_BACK_SECONDS)


async def _lines(site: Site, client: Heard) -> AsyncGenerator[Told, None]:
    """NDJSON after the last event that is known, with the key."""
    path = f"/v1/replies/{client.reply_id}/events?after={client.last_id}"
    headers = {"Accept": "application/x-ndjson"}
    async with site.client() as http, http.stream("GET", path, headers=headers) as response:
        async for line in response.aiter_lines():
            if line and response.status_code == 200:
                event = json.loads(line)
                yield Told(event["id"], event["event"], event["data"])


async def _page_events(site: Site, client: Heard) -> AsyncGenerator[Told, None]:
    """What EventSource gets: it has no key, and after a break it names the last event that it has."""
    headers = {"Last-Event-ID": str(client.last_id)} if client.events else {}
    async with (
        site.client(with_key=False) as http,
        aconnect_sse(http, "GET", client.events_url, headers=headers) as source,
    ):
        async for event in source.aiter_sse():
            if event.event != "message":
                yield Told(int(event.id), event.event, json.loads(event.data))
