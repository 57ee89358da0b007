"""A POST that is sent again under the same Idempotency-Key gets the same reply, and costs nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest_asyncio

from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages

KEYED = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path) as served:
        yield served


async def posted(gateway: ServedGateway, body: object = MOON, **headers: str) -> httpx.Response:
    return await gateway.http.post("/v1/replies", json=body, headers=KEYED | headers)


async def test_a_repeated_post_gets_the_same_reply_and_no_second_bill(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    first = await posted(gateway)
    again = await posted(gateway)
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["id"] == again.json()["id"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    await gateway.events(first.json()["id"])
    assert (await posted(gateway)).json()["status"] == "completed"
    assert stages.text.faults.calls == 1
    assert (await gateway.http.get("/v1/usage")).json()["totals"][0]["replies"] == 1


async def test_a_repeated_post_may_hear_the_reply_in_another_way(gateway: ServedGateway) -> None:
    reply_id = (await posted(gateway)).json()["id"]
    heard = await posted(gateway, Accept="application/x-ndjson")
    assert f'"reply_id":"{reply_id}"' in heard.text
    assert heard.text.count('"event":"done"') == 1
    waited = await posted(gateway, Prefer="wait=10")
    assert (waited.status_code, waited.json()["id"]) == (200, reply_id)


async def test_duplicates_at_the_same_moment_start_one_reply(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    answers = await asyncio.gather(*(posted(gateway) for _ in range(10)))
    (reply_id,) = {answer.json()["id"] for answer in answers}
    await gateway.events(reply_id)
    assert stages.text.faults.calls == 1


async def test_the_same_key_with_another_body_is_a_conflict(gateway: ServedGateway) -> None:
    await posted(gateway)
    conflict = await posted(gateway, {"say": "Something else."})
    assert (conflict.status_code, conflict.json()["type"]) == (409, "idempotency-key-reused")
    assert "another request" in conflict.json()["detail"]


async def test_the_way_the_json_is_written_does_not_matter(gateway: ServedGateway) -> None:
    headers = KEYED | {"Content-Type": "application/json"}
    written = [b'{"say": "Hi.", "voice": "hum-en"}', b'{"voice":"hum-en","say":"Hi."}']
    ids = {
        (await gateway.http.post("/v1/replies", content=body, headers=headers)).json()["id"]
        for body in written
    }
    assert len(ids) == 1


async def test_a_refused_request_may_be_mended_under_its_key(gateway: ServedGateway) -> None:
    assert (await posted(gateway, MOON | {"voice": "nobody"})).status_code == 422
    assert (await posted(gateway)).status_code == 202


async def test_a_removed_reply_is_made_anew(gateway: ServedGateway) -> None:
    first = (await posted(gateway)).json()["id"]
    await gateway.events(first)
    await gateway.http.delete(f"/v1/replies/{first}")
    second = (await posted(gateway)).json()["id"]
    assert second != first
    assert (await gateway.events(second))[-1].type == "done"


async def test_a_key_that_is_too_long_is_refused(gateway: ServedGateway) -> None:
    refused = await gateway.http.post("/v1/replies", json=MOON, headers={"Idempotency-Key": "k" * 256})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "Idempotency-Key")
