"""What goes wrong at a speech provider, as callers of the gateway see it: problem+json."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pydantic import SecretStr
from visavis.rpc.server import running

from services.tts.__main__ import tts_service
from services.tts.settings import ProviderChoice, TtsSettings
from tests.fakes.google_tts_server import google_tts_server, refusing
from tests.fakes.openai_speech_server import OpenAiSpeechServer, Refusal, openai_speech_server
from tests.fakes.served_gateway import ServedGateway, served_gateway
from tests.fakes.stages import fake_stages

SITE_KEY = "sk-site-1"
SPEECH: dict[str, Any] = {"say": "Hello there.", "outputs": ["speech"]}
# More than anybody tries again.
TIMES = 6

Line = tuple[OpenAiSpeechServer, ServedGateway]


@pytest_asyncio.fixture
async def line(tmp_path: Path) -> AsyncIterator[Line]:
    """A provider's stand-in, the real speech service before it, the real gateway before that."""
    async with openai_speech_server() as provider:
        settings = TtsSettings(
            openai_base_url=provider.url,
            openai_api_key=SecretStr(SITE_KEY),
            openai_retries=0,
            listen="127.0.0.1:0",
            drain_seconds=0,
        )
        async with speaking_gateway(settings, tmp_path) as gateway:
            yield provider, gateway


@asynccontextmanager
async def speaking_gateway(settings: TtsSettings, folder: Path) -> AsyncIterator[ServedGateway]:
    """The real gateway before the real speech service."""
    async with (
        fake_stages() as stages,
        running(tts_service(settings), settings) as tts_target,
        served_gateway(stages, folder, tts_target=tts_target, patience_seconds=0.6) as gateway,
    ):
        yield gateway


@pytest.mark.parametrize(
    ("refused_with", "status", "type_"),
    [
        (401, 429, "site-quota-exhausted"),
        (429, 429, "rate-limited"),
        (400, 422, "invalid-request"),
        (503, 502, "upstream-unavailable"),
    ],
)
async def test_a_refusal_is_the_posts_own_problem(
    line: Line, refused_with: int, status: int, type_: str
) -> None:
    provider, gateway = line
    provider.will_answer(*[Refusal(refused_with)] * TIMES)
    response = await gateway.http.post("/v1/replies", json=SPEECH, headers={"Prefer": "wait=20"})
    problem = response.json()
    assert (response.status_code, problem["status"], problem["type"]) == (status, status, type_)
    assert problem["stage"] == "speech"
    assert SITE_KEY not in response.text


@pytest.mark.parametrize(
    ("code", "status", "type_"),
    [
        (grpc.StatusCode.UNAUTHENTICATED, 429, "site-quota-exhausted"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 429, "rate-limited"),
        (grpc.StatusCode.INVALID_ARGUMENT, 422, "invalid-request"),
        (grpc.StatusCode.UNAVAILABLE, 502, "upstream-unavailable"),
    ],
)
async def test_googles_refusals_are_too(
    tmp_path: Path, code: grpc.StatusCode, status: int, type_: str
) -> None:
    async with google_tts_server() as google:
        google.answer = refusing(code)
        settings = TtsSettings(
            provider=ProviderChoice.GOOGLE,
            google_endpoint=google.address,
            # As long as it is asked again where it may be back in a moment.
            google_seconds=1 if code is grpc.StatusCode.UNAVAILABLE else 20,
            listen="127.0.0.1:0",
            drain_seconds=0,
        )
        async with speaking_gateway(settings, tmp_path) as gateway:
            response = await gateway.http.post("/v1/replies", json=SPEECH, headers={"Prefer": "wait=20"})
    problem = response.json()
    assert (response.status_code, problem["type"], problem["stage"]) == (status, type_, "speech")
    assert "vendor" not in response.text


async def test_the_next_reply_is_spoken_once_the_provider_is_back(line: Line) -> None:
    provider, gateway = line
    provider.will_answer(Refusal(429))
    assert (await gateway.reply(SPEECH))[-1].type == "error"
    assert (await gateway.reply(SPEECH))[-1].type == "done"
