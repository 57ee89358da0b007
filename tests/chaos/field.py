"""The weather goes in; real gateways, workers, a proxy and a Valkey come out: all that the storm is over."""

from __future__ import annotations

import hashlib
import random
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.chaos.edge import Edge, served_edge
from tests.chaos.victims import Victim, living
from tests.chaos.weather import Weather
from tests.chaos.writer import Writer
from tests.fakes.object_server import BUCKET, ObjectServer
from tests.fakes.ports import free_ports
from tests.fakes.valkey import valkey_server

TAKEOVER_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Field:
    """What stands in the storm. `workers` render and speak; what writes stands in for OpenAI."""

    edge: Edge
    secret: str = field(repr=False)
    gateways: list[Victim]
    workers: list[Victim]
    writer: Writer
    valkey_url: str


@asynccontextmanager
async def standing(
    weather: Weather, folder: Path, bucket: ObjectServer, chance: random.Random
) -> AsyncIterator[Field]:
    """Everything is up; at the end all of it is gone."""
    async with AsyncExitStack() as stack:
        valkey_url = stack.enter_context(valkey_server(folder))
        writer = await stack.enter_async_context(Writer().running())
        log = stack.enter_context((folder / "processes.log").open("ab"))
        text_port, tts_port, *ports = free_ports(2 + weather.gateways + weather.workers)
        gateway_ports, worker_ports = ports[: weather.gateways], ports[weather.gateways :]
        writing = {"TEXT_PROVIDER": "openai", "OPENAI_BASE_URL": writer.url}
        speaking = {"TTS_PROVIDER": "embedded"}
        text = Victim(
            ["-m", "services.text"], text_port, writing | {"TEXT_LISTEN": f"127.0.0.1:{text_port}"}, log
        )
        tts = Victim(
            ["-m", "services.tts"], tts_port, speaking | {"TTS_LISTEN": f"127.0.0.1:{tts_port}"}, log
        )
        renderers = [
            Victim(["-m", "services.lipsync"], port, {"LIPSYNC_LISTEN": f"127.0.0.1:{port}"}, log)
            for port in worker_ports
        ]
        secret = secrets.token_hex(16)
        digest = hashlib.sha256(secret.encode()).hexdigest()
        shared = bucket.environment | {
            "GATEWAY_VALKEY_URL": valkey_url,
            "GATEWAY_DATA": f"s3://{BUCKET}/replies",
            # Little more than ever runs at once: room that a gateway takes with it when it dies is missed.
            "GATEWAY_API_KEYS": f"storm {digest} running={weather.at_once + 4} per_minute=100000",
            "GATEWAY_SIGNING_KEY": secrets.token_hex(16),
            "GATEWAY_TAKEOVER_SECONDS": str(TAKEOVER_SECONDS),
            "GATEWAY_TEXT_TARGET": f"127.0.0.1:{text_port}",
            "GATEWAY_TTS_TARGET": f"127.0.0.1:{tts_port}",
            "GATEWAY_LIPSYNC_TARGET": "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in worker_ports),
            # A worker takes some seconds to come back on a busy machine.
            "GATEWAY_PATIENCE_SECONDS": "120",
        }
        served = [
            Victim(["-m", "gateway"], port, shared | {"GATEWAY_PORT": str(port)}, log)
            for port in gateway_ports
        ]
        await stack.enter_async_context(living([text, tts, *renderers, *served]))
        edge = await stack.enter_async_context(served_edge(gateway_ports, folder, chance))
        yield Field(edge, secret, served, [tts, *renderers], writer, valkey_url)
