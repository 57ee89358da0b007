"""What a language model's server says goes wrong there, as callers of the gateway see it: problem+json."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr
from visavis.rpc.server import running

from services.text.__main__ import text_service
from services.text.settings import ProviderChoice, TextSettings
from tests.fakes.openai_server import (
    BreakOff,
    Delta,
    ErrorEvent,
    Finish,
    Malformed,
    OpenAiServer,
    Refusal,
    Step,
    UsageChunk,
)
from tests.fakes.served_gateway import MOON, ServedGateway, served_gateway
from tests.fakes.stages import fake_stages

pytestmark = pytest.mark.asyncio(loop_scope="module")

TEXT = MOON | {"outputs": ["text"]}
SITE_KEY = "site-key-1"
CALLERS_KEY = "callers-key-1"
# More than anybody tries again.
TIMES = 6


@dataclass(frozen=True, slots=True)
class Line:
    """OpenAI's stand-in, the real text service before it, the real gateway before that."""

    openai: OpenAiServer
    gateway: ServedGateway

    async def answer(self, fields: dict[str, Any], callers_key: str = "") -> tuple[int, dict[str, Any]]:
        """The status and body of a POST that waits for the reply."""
        headers = {"Prefer": "wait=20"} | ({"X-LLM-API-Key": callers_key} if callers_key else {})
        response = await self.gateway.http.post("/v1/replies", json=TEXT | fields, headers=headers)
        return response.status_code, response.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Line]:
    async with OpenAiServer().running() as openai, fake_stages() as stages:
        settings = TextSettings(
            provider=ProviderChoice.OPENAI,
            openai_api_key=SecretStr(SITE_KEY),
            openai_base_url=openai.url,
            openai_retries=0,
            listen="127.0.0.1:0",
            drain_seconds=0,
        )
        async with running(text_service(settings), settings) as text_target:
            folder = tmp_path_factory.mktemp("gateway")
            async with served_gateway(stages, folder, text_target=text_target) as gateway:
                yield Line(openai, gateway)


@pytest.fixture(autouse=True)
def unasked(line: Line) -> None:
    line.openai.forget()


@pytest.mark.parametrize(
    ("refusal", "callers_key", "status", "type_"),
    [
        (Refusal(401, "invalid_api_key"), CALLERS_KEY, 403, "caller-key-invalid"),
        (Refusal(401, "invalid_api_key"), "", 429, "site-quota-exhausted"),
        (Refusal(429, "insufficient_quota"), "", 429, "site-quota-exhausted"),
        (Refusal(429, "rate_limit_exceeded", {"Retry-After": "17"}), "", 429, "rate-limited"),
        (Refusal(429, "rate_limit_exceeded"), CALLERS_KEY, 429, "rate-limited"),
        (Refusal(400, "context_length_exceeded"), "", 422, "context-length-exceeded"),
        (Refusal(400, "unsupported_value", param="temperature"), "", 422, "unsupported-setting"),
        (Refusal(404, "model_not_found"), "", 422, "unknown-model"),
        (Refusal(503), "", 502, "upstream-unavailable"),
    ],
)
async def test_a_refusal_is_the_posts_own_problem(
    line: Line, refusal: Refusal, callers_key: str, status: int, type_: str
) -> None:
    line.openai.will_refuse(refusal, TIMES)
    answered, problem = await line.answer({}, callers_key)
    assert (answered, problem["status"], problem["type"]) == (status, status, type_)
    assert problem["trace_id"]
    assert SITE_KEY not in str(problem)
    assert CALLERS_KEY not in str(problem)


@pytest.mark.parametrize(
    ("step", "status", "type_"),
    [
        (ErrorEvent("server_error"), 502, "upstream-unavailable"),
        (ErrorEvent("rate_limit_exceeded"), 429, "rate-limited"),
        (Malformed(), 502, "upstream-unavailable"),
        (BreakOff(), 502, "upstream-unavailable"),
    ],
)
async def test_a_failure_after_the_first_words_is_too(
    line: Line, step: Step, status: int, type_: str
) -> None:
    for _ in range(TIMES):
        line.openai.will_answer(Delta("Once upon"), step)
    answered, problem = await line.answer({})
    assert (answered, problem["type"]) == (status, type_)


async def test_words_are_not_biased_where_their_tokens_are_unknown(line: Line) -> None:
    asked = {"model": "llama-3", "logit_bias": {"moon": -100}}
    answered, problem = await line.answer(asked, CALLERS_KEY)
    assert (answered, problem["type"]) == (422, "unsupported-setting")
    assert "logit_bias" in problem["detail"]


async def test_an_answer_carries_what_openai_counted(line: Line) -> None:
    line.openai.will_answer(Delta("The moon is a ball of rock."), Finish(), UsageChunk(12, 7))
    answered, reply = await line.answer({"temperature": 0})
    assert (answered, reply["status"]) == (200, "completed")
    assert (reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]) == (12, 7)


async def test_the_count_includes_the_draft(line: Line) -> None:
    async def counted(*contents: str) -> int:
        messages = [{"role": "user", "content": content} for content in contents]
        response = await line.gateway.http.post("/v1/tokens", json={"messages": messages})
        return int(response.json()["prompt_tokens"])

    # "Hello" is one token, as is the role; a message costs three more.
    assert (await counted("Hello"), await counted("Hello", "Hello")) == (8, 13)
