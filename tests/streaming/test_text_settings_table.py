"""docs/settings.md against the wire: each row is sent, and what arrives is what its cells say."""

from __future__ import annotations

import json
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from visavis.rpc.failures import Failure

from services.text.conversation import Conversation, Message, Role
from services.text.embedded_provider import EmbeddedOptions, EmbeddedProvider
from services.text.llama_request import chat_request
from services.text.openai_provider import OpenAiOptions, OpenAiProvider
from services.text.persona import COACHED
from services.text.providers import Provider
from tests.fakes.openai_server import Finish, OpenAiServer

TABLE = Path(__file__).parents[2] / "docs" / "settings.md"
EMBEDDED = EmbeddedOptions(
    model_path=None, context_tokens=1_024, threads=1, default_tokens=120, max_tokens=1_024, waiting=0
)


def rows() -> list[list[str]]:
    """The cells of each row: the request, then the three columns, "the same" filled in."""
    lines = [line for line in TABLE.read_text().splitlines() if line.startswith("|")][2:]
    table = [[cell.strip().strip("`") for cell in line.strip("|").split(" | ")] for line in lines]
    return [[row[0] if cell == "the same" else cell for cell in row] for row in table]


ROWS = rows()


def conversation_of(asked: str) -> Conversation:
    fields: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]} | json.loads(asked)
    messages = tuple(Message(Role(m["role"]), m["content"]) for m in fields.pop("messages"))
    return Conversation(messages, stop=tuple(fields.pop("stop", ())), **fields)


async def told(provider: Provider, conversation: Conversation) -> None:
    async with aclosing(provider.answer(conversation)) as parts:
        async for _ in parts:
            pass


async def sent_to_openai(server: OpenAiServer, base_url: str, asked: str) -> dict[str, Any]:
    options = OpenAiOptions(
        api_key="site-key",
        base_url=base_url,
        model="gpt-4o-mini",
        max_tokens=1_024,
        context_tokens=0,
        connect_seconds=5,
        stall_seconds=30,
        retries=0,
    )
    provider = OpenAiProvider(options)
    server.will_answer(Finish())
    try:
        await told(provider, conversation_of(asked))
    finally:
        await provider.close()
    received = server.received[-1]
    return {**received.body, "Authorization": received.headers["authorization"]}


def assert_says(sent: dict[str, Any], cell: str) -> None:
    for name, value in json.loads(cell).items():
        # The embedded model is told more, ahead of the caller's messages.
        arrived = sent[name][-len(value) :] if name == "messages" else sent[name]
        assert arrived == value


def refusal_in(cell: str) -> str | None:
    return cell.removeprefix("refused: ") if cell.startswith("refused: ") else None


def test_the_table_has_every_setting() -> None:
    named = {name for row in ROWS for name in json.loads(row[0])}
    assert named == set(Conversation.__dataclass_fields__)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
@pytest.mark.parametrize("column", [1, 2], ids=["openai", "compatible"])
async def test_openai_and_compatible_servers_receive_it(
    row: list[str], column: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with OpenAiServer().running() as server:
        # OpenAI's own address is reached through a proxy: the server here.
        monkeypatch.setenv("HTTP_PROXY", server.url.removesuffix("/v1"))
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        base_url = "http://api.openai.com/v1" if column == 1 else server.url
        if refusal := refusal_in(row[column]):
            with pytest.raises(Failure) as caught:
                await sent_to_openai(server, base_url, row[0])
            assert caught.value.type == refusal
            assert server.received == []
        else:
            assert_says(await sent_to_openai(server, base_url, row[0]), row[column])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
async def test_the_embedded_model_receives_it(row: list[str]) -> None:
    provider, conversation = EmbeddedProvider(EMBEDDED), conversation_of(row[0])
    if refusal := refusal_in(row[3]):
        with pytest.raises(Failure) as caught:
            await told(provider, conversation)
        assert caught.value.type == refusal
    else:
        prompt = COACHED.before(conversation.messages)
        max_tokens = provider.wanted_tokens(conversation)
        assert_says(chat_request(conversation, COACHED, prompt, max_tokens), row[3])
