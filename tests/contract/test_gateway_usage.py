"""What replies cost is told in their last event, added up at /v1/usage and in metrics, held to budgets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from prometheus_client import REGISTRY
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.settings import read_settings

from gateway.settings import GatewaySettings
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import FakeStages

HELLO = {"say": "Hello."}


@pytest_asyncio.fixture
async def gateway(stages: FakeStages, tmp_path: Path) -> AsyncIterator[ServedGateway]:
    async with served_gateway(stages, tmp_path, daily_tokens={"tiny": 250}) as served:
        yield served


async def usage(gateway: ServedGateway) -> dict[str, Any]:
    report: dict[str, Any] = (await gateway.http.get("/v1/usage")).json()
    return report


def metric(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_totals_are_the_sum_of_what_the_replies_told(gateway: ServedGateway) -> None:
    told = [(await gateway.reply(body))[-1].data["usage"] for body in (MOON, MOON, HELLO)]
    by_model = {row["model"]: row for row in (await usage(gateway))["totals"]}
    assert (by_model["tiny"]["replies"], by_model[""]["replies"]) == (2, 1)
    for name in told[0]:
        total = sum(row["usage"][name] for row in by_model.values())
        assert total == pytest.approx(sum(cost[name] for cost in told))
        # No gateway died meanwhile.
        assert (total > 0) is (name != "resumed")


async def test_a_model_that_is_not_named_counts_as_the_default_one(gateway: ServedGateway) -> None:
    await gateway.reply()
    await gateway.reply(MOON | {"model": "tiny"})
    (budget,) = (await usage(gateway))["budgets"]
    assert budget["model"] == "tiny"
    assert budget["used_tokens"] == 2 * (7 + 11 + 1)
    assert budget["left_tokens"] == budget["daily_tokens"] - budget["used_tokens"]


async def test_a_spent_budget_refuses_until_midnight(gateway: ServedGateway, stages: FakeStages) -> None:
    asked = MOON | {"max_tokens": 200}
    await gateway.reply(asked)
    await gateway.reply(asked)
    refused = await gateway.http.post("/v1/replies", json=asked)
    assert (refused.status_code, refused.json()["type"]) == (429, "site-quota-exhausted")
    assert 0 < int(refused.headers["Retry-After"]) <= 24 * 3600
    assert stages.text.faults.calls == 2
    assert (await gateway.reply(HELLO))[-1].type == "done"


async def test_a_callers_own_key_is_not_bound_by_the_sites_budget(gateway: ServedGateway) -> None:
    events = await gateway.reply(MOON | {"max_tokens": 5_000}, **{"X-LLM-API-Key": "sk-mine"})
    assert events[-1].type == "done"
    (row,) = (await usage(gateway))["totals"]
    assert (row["key"], row["replies"]) == ("caller", 1)


async def test_replies_in_flight_cannot_spend_the_same_tokens(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(*[Fault(gate=gate)] * 4)
    asked = MOON | {"max_tokens": 100}
    answers = await asyncio.gather(*(gateway.http.post("/v1/replies", json=asked) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [202, 202, 429, 429]
    gate.set()
    for answer in answers:
        if answer.status_code == 202:
            await gateway.events(answer.json()["id"])
    (budget,) = (await usage(gateway))["budgets"]
    assert (budget["used_tokens"], budget["reserved_tokens"]) == (2 * 19, 0)


async def test_a_cancelled_text_is_paid_for_as_far_as_it_came(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    reply_id = await gateway.post()
    async for event in gateway.live(reply_id):
        if event.data.get("delta") == "is ":
            break
    await gateway.http.delete(f"/v1/replies/{reply_id}")
    told = (await gateway.events(reply_id))[-1].data["usage"]
    assert told["prompt_tokens"] > 0
    assert told["completion_tokens"] == 3
    (row,) = (await usage(gateway))["totals"]
    assert row["usage"]["completion_tokens"] == 3


async def test_metrics_count_replies_by_outcome_and_what_they_cost(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    def counted() -> list[float]:
        return [
            metric("visavis_replies_total", outcome="completed"),
            metric("visavis_replies_total", outcome="context-length-exceeded"),
            metric("visavis_reply_tokens_total", key="site", kind="completion"),
            metric("visavis_first_fragment_seconds_count"),
            metric("visavis_estimate_error_seconds_count", at="accepted"),
            metric("visavis_estimate_error_seconds_count", at="text_ok"),
        ]

    before = counted()
    completed = await gateway.reply()
    stages.text.faults.plan(Fault(failure=Failure(FailureType.CONTEXT_LENGTH_EXCEEDED, "No.")))
    await gateway.reply()
    grown = [after - old for old, after in zip(before, counted(), strict=True)]
    assert grown == [1, 1, completed[-1].data["usage"]["completion_tokens"], 1, 1, 1]
    assert metric("visavis_replies_running") == 0


@pytest.mark.parametrize("written", ['{"gpt-4o-mini": 5, "*": 7}', "gpt-4o-mini=5 *=7", "gpt-4o-mini=5,*=7"])
def test_budgets_are_written_as_json_or_as_pairs(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("GATEWAY_DAILY_TOKENS", written)
    assert read_settings(GatewaySettings).daily_tokens == {"gpt-4o-mini": 5, "*": 7}


@pytest.mark.parametrize("written", ["gpt-4o-mini", "tiny=-1", "tiny=many", "{"])
def test_a_budget_that_is_none_stops_the_start(monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv("GATEWAY_DAILY_TOKENS", written)
    with pytest.raises(SystemExit, match="GATEWAY_DAILY_TOKENS"):
        read_settings(GatewaySettings)
