"""An order that no gateway can read ends in an error, and is not tried for ever."""

from __future__ import annotations

from pathlib import Path

from gateway.valkey.connection import connected
from tests.fakes.registers import entry, valkey_register
from tests.fakes.served_gateway import check_story, served_gateway
from tests.fakes.stages import FakeStages


async def test_an_order_that_nobody_can_read_ends_as_interrupted(
    stages: FakeStages, valkey: str, tmp_path: Path
) -> None:
    async with connected(valkey, patience_seconds=30) as client:
        await valkey_register(client).enter(entry("a", record="{}"))
        async with served_gateway(stages, tmp_path, valkey_url=valkey, takeover_seconds=0.5) as gateway:
            events = await gateway.events("a")
            check_story(events)
            assert (events[-1].type, events[-1].data["type"]) == ("error", "interrupted")
