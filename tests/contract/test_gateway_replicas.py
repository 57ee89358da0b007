"""Two gateways that share a Valkey count and remember as one, and say so where it is gone."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from gateway.valkey.connection import connected
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages, fake_stages
from tests.fakes.valkey import valkey_server

KEYED = {"Idempotency-Key": "8e03978e-40d5-43e8-bc93-6894a57f9324"}
SECRET = "a-long-and-random-key-of-anns"
ANN = f"ann {hashlib.sha256(SECRET.encode()).hexdigest()} running=2 per_minute=1000"


@asynccontextmanager
async def two_gateways(
    stages: FakeStages, folder: Path, url: str, **settings: Any
) -> AsyncIterator[tuple[ServedGateway, ServedGateway]]:
    shared = {"valkey_url": url, "data": str(folder / "media")} | settings
    async with (
        served_gateway(stages, folder, **shared) as one,
        served_gateway(stages, folder, **shared) as other,
    ):
        yield one, other


async def test_the_same_key_at_both_at_the_same_time_means_one_reply(valkey: str, tmp_path: Path) -> None:
    async with fake_stages() as stages, two_gateways(stages, tmp_path, valkey) as gateways:
        asks = [
            gateways[number % 2].http.post("/v1/replies", json=MOON, headers=KEYED) for number in range(8)
        ]
        answers = await asyncio.gather(*asks)
        assert {answer.status_code for answer in answers} == {202}
        (reply_id,) = {answer.json()["id"] for answer in answers}
        for gateway in gateways:
            assert (await gateway.events(reply_id))[-1].data["status"] == "completed"
        assert stages.text.faults.calls == 1
        changed = await gateways[1].http.post("/v1/replies", json={"say": "Hi."}, headers=KEYED)
        assert changed.status_code == 409


async def test_what_one_made_the_other_counts(valkey: str, tmp_path: Path) -> None:
    budget = {"daily_tokens": {"tiny": 40}}
    async with fake_stages() as stages, two_gateways(stages, tmp_path, valkey, **budget) as (one, other):
        asked: dict[str, Any] = MOON | {"max_tokens": 20}
        used = (await one.reply(asked))[-1].data["usage"]
        report = (await other.http.get("/v1/usage")).json()
        assert [row["replies"] for row in report["totals"]] == [1]
        assert report["budgets"][0]["used_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
        assert report["budgets"][0]["reserved_tokens"] == 0
        refused = await other.http.post("/v1/replies", json=asked)
        assert (refused.status_code, refused.json()["type"]) == (429, "site-quota-exhausted")


async def test_a_caller_has_so_many_replies_at_both_together(valkey: str, tmp_path: Path) -> None:
    async with (
        fake_stages() as stages,
        two_gateways(stages, tmp_path, valkey, api_keys=ANN, signing_key="shared") as (one, other),
    ):
        stages.lipsync.seconds_per_frame = 1.0
        bearer = {"Authorization": f"Bearer {SECRET}"}
        first = await one.post(MOON, **bearer)
        await other.post(MOON, **bearer)
        refused = await one.http.post("/v1/replies", json=MOON, headers=bearer)
        assert (refused.status_code, refused.json()["type"]) == (429, "rate-limited")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await one.http.delete(f"/v1/replies/{first}", headers=bearer)).status_code == 204
        assert (await other.http.post("/v1/replies", json=MOON, headers=bearer)).status_code == 202


async def test_speech_whose_upload_was_refused_is_not_kept(valkey: str, tmp_path: Path) -> None:
    full: dict[str, Any] = {"valkey_url": valkey, "max_replies_together": 1}
    async with fake_stages() as stages, served_gateway(stages, tmp_path, **full) as gateway:
        ended = await gateway.post({"say": "Hi."})
        await gateway.events(ended)
        speech = (await gateway.http.get(f"/v1/replies/{ended}/audio.wav")).content
        stages.lipsync.seconds_per_frame = 1.0
        running = await gateway.post({"say": "Hi."})
        upload = {"audio": ("speech.wav", speech, "audio/wav")}
        refused = await gateway.http.post("/v1/replies", data={"request": "{}"}, files=upload)
        assert (refused.status_code, refused.json()["type"]) == (429, "busy")
        assert {file.parent.name for file in (tmp_path / "media").glob("*/*.wav")} <= {ended, running}


async def test_without_what_they_share_requests_are_refused_clearly_and_health_says_why(
    tmp_path: Path,
) -> None:
    bearer = {"Authorization": f"Bearer {SECRET}"}
    with valkey_server(tmp_path) as url:
        async with (
            fake_stages() as stages,
            served_gateway(stages, tmp_path, valkey_url=url, api_keys=ANN, signing_key="shared") as gateway,
            connected(url) as operator,
        ):
            asked: dict[str, Any] = {"headers": bearer | {"Prefer": "wait=30"}, "json": MOON}
            finished = await gateway.http.post("/v1/replies", **asked)
            ready = await gateway.http.get("/readyz")
            assert (ready.status_code, ready.json()["stages"]["valkey"]) == (200, "serving")
            # It answers nobody any more; that no server is there takes longer to find out, and ends the same.
            await operator.acl_setuser("default", enabled=True, categories=["-@all"], commands=["+acl"])
            for refused in (
                await gateway.http.post("/v1/replies", **asked),
                await gateway.http.get(finished.headers["Location"], headers=bearer),
                await gateway.http.get("/v1/usage", headers=bearer),
            ):
                assert (refused.status_code, refused.json()["type"]) == (503, "stage-unavailable")
                assert int(refused.headers["Retry-After"]) > 0
                assert "valkey" not in refused.text
            ready = await gateway.http.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (503, "unready")
            assert ready.json()["stages"]["valkey"] == "down"
            assert (await gateway.http.get("/healthz")).status_code == 200
            await operator.acl_setuser("default", enabled=True, categories=["+@all"])
            assert (await gateway.http.post("/v1/replies", **asked)).json()["status"] == "completed"
            assert (await gateway.http.get("/readyz")).status_code == 200
