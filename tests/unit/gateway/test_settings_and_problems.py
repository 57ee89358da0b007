"""What stops a start-up, and what clients are told of every failure there is."""

from __future__ import annotations

import pytest
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.settings import read_settings

from gateway.http.problem_responses import problem_response
from gateway.problems import problem_of
from gateway.settings import GatewaySettings
from gateway.stages.call import Call, Patience


@pytest.mark.parametrize("type_", list(FailureType))
def test_every_failure_has_a_status_and_a_title(type_: FailureType) -> None:
    problem = problem_of(Failure(type_, "What, where, what to do.", stage="text"), "4" * 32)
    assert 400 <= problem.status < 600
    assert problem.title
    assert (problem.type, problem.detail, problem.stage) == (type_.value, "What, where, what to do.", "text")


def test_a_problem_says_when_to_try_again() -> None:
    problem = problem_of(Failure(FailureType.BUSY, "Later.", retry_after_seconds=0.2))
    assert problem_response(problem).headers["Retry-After"] == "1"
    assert "retry_after_seconds" not in problem_of(Failure(FailureType.UNKNOWN, "Never.")).data()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "example.com"])
def test_listening_for_strangers_has_to_be_said(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("GATEWAY_HOST", host)
    with pytest.raises(SystemExit, match="GATEWAY_ALLOW_OPEN=true"):
        read_settings(GatewaySettings)
    monkeypatch.setenv("GATEWAY_ALLOW_OPEN", "true")
    assert read_settings(GatewaySettings).host == host


def test_gateways_that_share_replies_have_to_sign_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_VALKEY_URL", "redis://valkey")
    assert read_settings(GatewaySettings).needs_no_key
    monkeypatch.setenv("GATEWAY_API_KEYS", f"ann {'0' * 64}")
    with pytest.raises(SystemExit, match="GATEWAY_SIGNING_KEY"):
        read_settings(GatewaySettings)
    monkeypatch.setenv("GATEWAY_SIGNING_KEY", "one for all")
    assert not read_settings(GatewaySettings).needs_no_key


def test_the_port_can_be_set_like_anywhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GATEWAY_PORT", raising=False)
    monkeypatch.setenv("PORT", "9000")
    assert read_settings(GatewaySettings).port == 9000
    monkeypatch.setenv("GATEWAY_PORT", "9001")
    assert read_settings(GatewaySettings).port == 9001


@pytest.mark.parametrize(
    "type_", [FailureType.UPSTREAM_UNAVAILABLE, FailureType.UNKNOWN, FailureType.TOO_LONG]
)
async def test_what_trying_again_cannot_mend_is_raised_at_once(type_: FailureType) -> None:
    patience = Patience(Call.within(10, "", patience_seconds=10))
    with pytest.raises(Failure):
        await patience.wait_after(Failure(type_, "No."))


async def test_nobody_waits_beyond_the_deadline() -> None:
    patience = Patience(Call.within(0.1, "", patience_seconds=10))
    with pytest.raises(Failure):
        while True:
            await patience.wait_after(Failure(FailureType.BUSY, "Later.", retry_after_seconds=5))
