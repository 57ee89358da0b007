"""Lines of keys are read exactly, a wrong one stops the start, and callers ask no oftener than they may."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path

import pytest
from visavis.rpc.failures import Failure, FailureType
from visavis.rpc.settings import read_settings

from gateway.callers import Caller, api_keys
from gateway.http.signing import Signatures
from gateway.rates import MemoryRates
from gateway.settings import GatewaySettings


def digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def test_a_key_is_known_by_its_digest_alone() -> None:
    keys = api_keys(f"# who\nann {digest('a')}\n\nbob {digest('b')} running=2 per_minute=5 # slow\n")
    assert keys.holder("a") == Caller("ann", 4, 60)
    assert keys.holder("b") == Caller("bob", 2, 5)
    assert keys.holder("c") is None
    assert keys.holder(digest("a")) is None
    assert not api_keys(" \n# nobody\n")


@pytest.mark.parametrize(
    "line",
    [
        "ann",
        "ann 123",
        f"{'0' * 64}",
        f"ann {'A' * 64}",
        f"ann {'0' * 64} speed=3",
        f"ann {'0' * 64} running=0",
        f"anonymous {'0' * 64}",
        f".. {'0' * 64}",
    ],
)
def test_a_line_that_is_none_is_named_without_what_it_holds(line: str) -> None:
    with pytest.raises(ValueError, match="API key 2 must read") as refused:
        api_keys(f"bob {digest('b')}\n{line}")
    assert "0" * 64 not in str(refused.value)


def test_keys_come_from_the_environment_and_from_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "keys"
    file.write_text(f"ann {digest('a')}\n")
    monkeypatch.setenv("GATEWAY_API_KEYS", f"bob {digest('b')}; eve {digest('e')}")
    monkeypatch.setenv("GATEWAY_API_KEYS_FILE", str(file))
    monkeypatch.setenv("GATEWAY_HOST", "0.0.0.0")
    keys = read_settings(GatewaySettings).keys()
    assert [caller and caller.name for caller in map(keys.holder, "abec")] == ["ann", "bob", "eve", None]


@pytest.mark.parametrize("settings", [{"API_KEYS": "ann 123"}, {"API_KEYS_FILE": "/nowhere/keys"}])
def test_keys_that_cannot_be_read_stop_the_start(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(f"GATEWAY_{name}", value)
    with pytest.raises(SystemExit, match=r"API key 1|cannot be read"):
        read_settings(GatewaySettings)


async def test_a_minutes_requests_may_come_at_once_and_then_evenly() -> None:
    now = 0.0
    rates = MemoryRates(lambda: now)
    ann = Caller("ann", per_minute=6)
    for _ in range(6):
        await rates.count(ann)
    with pytest.raises(Failure) as refused:
        await rates.count(ann)
    assert refused.value.type is FailureType.RATE_LIMITED
    assert refused.value.retry_after_seconds == pytest.approx(10)
    await rates.count(Caller("bob", per_minute=1))
    now = 10.1
    await rates.count(ann)
    with pytest.raises(Failure):
        await rates.count(ann)
    for _ in range(100):
        await rates.count(Caller("anonymous", per_minute=math.inf))


def test_a_signature_opens_its_own_reply_and_no_other() -> None:
    signatures = Signatures(b"key")
    token = signatures.query("r1").removeprefix("?token=")
    assert signatures.opens(token, "r1")
    assert not signatures.opens(token, "r2")
    assert not signatures.opens("", "r1")
    assert not signatures.opens("ö", "r1")
    assert not Signatures(b"other").opens(token, "r1")
    assert not Signatures(None).opens("", "r1")


def test_every_address_of_a_reply_is_signed_however_deep_and_nothing_else() -> None:
    signatures = Signatures(b"key")
    query = signatures.query("r1")
    data = {"url": "/v1/replies/r1/0.m4s", "video_url": None, "text": "/v1/replies/r1/x", "index": 0}
    signed = signatures.signed("r1", data | {"utterances": [{"audio_url": "/v1/replies/r1/0.wav"}]})
    assert signed == data | {
        "url": f"/v1/replies/r1/0.m4s{query}",
        "utterances": [{"audio_url": f"/v1/replies/r1/0.wav{query}"}],
    }
    assert Signatures(None).signed("r1", data) is data
