"""The shared server is reached before anything is served, or it is said why not."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from visavis.rpc.settings import read_settings

from gateway.settings import GatewaySettings
from gateway.valkey.connection import ValkeyUnreachable, connected, place
from tests.fakes.valkey import valkey_server


async def test_what_one_connection_writes_another_reads(valkey: str) -> None:
    async with connected(valkey, patience_seconds=30) as one, connected(valkey) as other:
        await one.set("moon", "rock")
        assert await other.get("moon") == b"rock"


async def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValkeyUnreachable, match=r"nowhere\.sock did not answer within 0 seconds"):
        async with connected(f"unix://:secret@{tmp_path}/nowhere.sock"):
            pass


async def test_a_wrong_password_is_not_tried_twice(valkey: str) -> None:
    with pytest.raises(ValkeyUnreachable, match="refuses this user and password") as refusal:
        async with connected(valkey.replace("unix://", "unix://nobody:secret@"), patience_seconds=3600):
            pass
    assert "secret" not in str(refusal.value)


async def test_a_write_waits_for_the_server_that_takes_over(tmp_path_factory: pytest.TempPathFactory) -> None:
    with valkey_server(tmp_path_factory.mktemp("kv")) as url:
        async with connected(url, patience_seconds=30) as client, connected(url) as operator:
            await operator.replicaof("127.0.0.1", 1)
            writing = asyncio.ensure_future(client.set("moon", "rock"))
            while "READONLY" not in str(await operator.info("errorstats")):
                pass
            assert not writing.done()
            await operator.replicaof("NO", "ONE")
            assert await writing


async def test_a_gateway_does_not_start_without_it(tmp_path: Path) -> None:
    environment = os.environ | {
        "GATEWAY_VALKEY_URL": f"unix://:secret@{tmp_path}/nowhere.sock",
        "GATEWAY_PATIENCE_SECONDS": "0",
        "GATEWAY_DATA": str(tmp_path),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gateway", env=environment, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    assert process.returncode == 1
    assert b"start it, or correct GATEWAY_VALKEY_URL" in errors
    assert b"Traceback" not in errors
    assert b"secret" not in errors


def test_neither_password_nor_options_are_shown() -> None:
    assert place("rediss://user:secret@valkey.example:6380/2?ssl_password=secret") == (
        "rediss://valkey.example:6380/2"
    )


def test_another_kind_of_url_is_refused_without_quoting_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEWAY_VALKEY_URL", "http://user:secret@valkey.example")
    with pytest.raises(SystemExit, match=r"GATEWAY_VALKEY_URL: .*redis://") as refusal:
        read_settings(GatewaySettings)
    assert "secret" not in str(refusal.value)
