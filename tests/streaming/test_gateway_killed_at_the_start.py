"""A gateway is killed between a POST and its answer; sent again with its key, it costs nothing more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.fakes.gateway_process import gateway_process
from tests.fakes.held_line import held_line
from tests.fakes.served_gateway import MOON, ServedGateway, check_story, served_gateway
from tests.fakes.stages import FakeStages, fake_stages

KEYED = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
TOLD_OF = b"Tell me about the moon."
BEGUN = b"begun"


@asynccontextmanager
async def killed_while_asked(
    word: bytes, valkey: str, folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[FakeStages, ServedGateway]]:
    """A gateway was asked for a reply, and killed when that word was on its way to the server or back."""
    shared: dict[str, Any] = {"takeover_seconds": 2, "daily_tokens": "tiny=1000"}
    async with (
        fake_stages() as stages,
        held_line(valkey, word, tmp_path_factory.mktemp("line")) as line,
        gateway_process(stages, folder, valkey_url=line.url, **shared) as dying,
        served_gateway(stages, folder, valkey_url=valkey, data=str(folder), **shared) as heir,
    ):
        await dying.ready()
        asking = asyncio.create_task(dying.http.post("/v1/replies", json=MOON, headers=KEYED))
        await line.held.wait()
        await dying.kill()
        with pytest.raises(httpx.TransportError):
            await asking
        yield stages, heir


async def check_made_once(answer: httpx.Response, stages: FakeStages, heir: ServedGateway) -> None:
    events = await heir.events(answer.json()["id"])
    check_story(events)
    assert events[-1].data["status"] == "completed"
    assert len(stages.text.requests) == 1
    usage = (await heir.http.get("/v1/usage")).json()
    assert [row["replies"] for row in usage["totals"]] == [1]
    (budget,) = usage["budgets"]
    used = events[-1].data["usage"]
    assert budget["used_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
    assert budget["reserved_tokens"] == 0


async def test_killed_before_the_reply_began_nothing_of_it_is_left(
    valkey: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with killed_while_asked(TOLD_OF, valkey, tmp_path, tmp_path_factory) as (stages, heir):
        assert (await heir.http.get("/v1/usage")).json()["budgets"][0]["reserved_tokens"] == 0
        again = await heir.http.post("/v1/replies", json=MOON, headers=KEYED)
        assert (again.status_code, "Idempotent-Replayed" in again.headers) == (202, False)
        await check_made_once(again, stages, heir)


async def test_killed_once_the_reply_had_begun_it_is_found_at_once_and_made_by_another(
    valkey: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    async with killed_while_asked(BEGUN, valkey, tmp_path, tmp_path_factory) as (stages, heir):
        assert (await heir.http.get("/v1/usage")).json()["budgets"][0]["reserved_tokens"] > 0
        again = await heir.http.post("/v1/replies", json=MOON, headers=KEYED)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (202, "true")
        assert again.json()["status"] == "running"
        await check_made_once(again, stages, heir)
