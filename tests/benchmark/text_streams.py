"""The text service on its socket goes in; when its first token comes, and when it rests, come out."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import httpx
from visavis.rpc.channel import open_channel
from visavis.rpc.server import running
from visavis.rpc.settings import TlsSettings
from visavis.v1 import text_pb2, text_pb2_grpc

from services.text.__main__ import text_service
from services.text.settings import ProviderChoice, TextSettings
from tests.benchmark.idleness import until_busy, until_idle
from tests.benchmark.stopwatch import Stopwatch, Took, until_first
from tests.fakes.openai_server import Delta, Finish, OpenAiServer, Stall, UsageChunk

THINGS = ("moon", "sea", "rain", "bread", "winter", "piano", "desert", "forest", "train", "sun", "river")
ANSWER = (Delta("Hello."), Finish(), UsageChunk(5, 1))
# About 850 tokens: with what the embedded model is told ahead, all that it can hold.
LONG_WORDS = 420


async def first_tokens(runs: int) -> AsyncIterator[tuple[str, Sequence[Took]]]:
    """The embedded model, then OpenAI's protocol: the local server alone, and through the provider."""
    async with _service(ProviderChoice.EMBEDDED) as stub:
        yield "embedded model, a question", [await _first_token(stub, [_question(n)]) for n in range(runs)]
        yield "embedded model, the third one", [await _third_question(stub, n) for n in range(runs)]
    async with OpenAiServer().running() as server, httpx.AsyncClient() as client:
        yield "OpenAI's protocol, local server alone", [await _directly(server, client) for _ in range(runs)]
        async with _service(ProviderChoice.OPENAI, server.url) as stub:
            took = []
            for number in range(runs + 1):
                server.will_answer(*ANSWER)
                took.append(await _first_token(stub, [_question(number)]))
            # The first call opens what the library needs once.
            yield "the same, through the text service", took[1:]


async def cancellations(runs: int) -> AsyncIterator[tuple[str, Sequence[Took]]]:
    """From the cancelled call until nothing computes, or until the provider's line is closed."""
    async with _service(ProviderChoice.EMBEDDED) as stub:
        yield "embedded model, in its answer", [await _stopped_answer(stub, n) for n in range(runs)]
        yield "embedded model, reading 850 tokens", [await _stopped_reading(stub) for _ in range(runs)]
    async with OpenAiServer().running() as server, _service(ProviderChoice.OPENAI, server.url) as stub:
        yield (
            "OpenAI's protocol, until its line is closed",
            [await _stopped_provider(stub, server) for _ in range(runs)],
        )


@asynccontextmanager
async def _service(
    choice: ProviderChoice, base_url: str | None = None
) -> AsyncIterator[text_pb2_grpc.TextServiceAsyncStub]:
    settings = TextSettings(
        provider=choice, openai_base_url=base_url, openai_api_key=None, listen="127.0.0.1:0", drain_seconds=0
    )
    async with (
        running(text_service(settings), settings) as address,
        open_channel(address, TlsSettings()) as channel,
    ):
        yield text_pb2_grpc.TextServiceStub(channel)


def _question(number: int) -> text_pb2.Message:
    # Another one every time: the model remembers a question that it has read.
    return _said(f"Tell me about the {THINGS[number % len(THINGS)]}, please. This is question {number}.")


def _said(content: str, role: text_pb2.Role.ValueType = text_pb2.ROLE_USER) -> text_pb2.Message:
    return text_pb2.Message(role=role, content=content)


def _request(messages: Sequence[text_pb2.Message]) -> text_pb2.StreamReplyRequest:
    return text_pb2.StreamReplyRequest(conversation=text_pb2.Conversation(messages=messages), language="en")


def _is_delta(response: text_pb2.StreamReplyResponse) -> bool:
    return response.WhichOneof("event") == "delta"


async def _first_token(
    stub: text_pb2_grpc.TextServiceAsyncStub, messages: Sequence[text_pb2.Message]
) -> Took:
    return await until_first(aiter(stub.StreamReply(_request(messages))), _is_delta)


async def _third_question(stub: text_pb2_grpc.TextServiceAsyncStub, number: int) -> Took:
    messages: list[text_pb2.Message] = []
    for turn in range(2):
        messages.append(_question(100 + 3 * number + turn))
        *_, last = [response async for response in stub.StreamReply(_request(messages))]
        messages.append(_said(last.finished.text, text_pb2.ROLE_ASSISTANT))
    return await _first_token(stub, [*messages, _question(102 + 3 * number)])


async def _directly(server: OpenAiServer, client: httpx.AsyncClient) -> Took:
    server.will_answer(*ANSWER)
    body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hello?"}], "stream": True}
    watch = Stopwatch()
    async with client.stream("POST", f"{server.url}/chat/completions", json=body) as response:
        await anext(response.aiter_lines())
        return watch.took()


async def _stopped_answer(stub: text_pb2_grpc.TextServiceAsyncStub, number: int) -> Took:
    call = stub.StreamReply(_request([_question(200 + number)]))
    async for response in call:
        if _is_delta(response):
            break
    watch = Stopwatch()
    call.cancel()
    return await until_idle(watch)


async def _stopped_reading(stub: text_pb2_grpc.TextServiceAsyncStub) -> Took:
    words = " ".join(random.choices(THINGS, k=LONG_WORDS))
    call = stub.StreamReply(_request([_said(f"Sort these words: {words}")]))
    await anext(aiter(call))
    await until_busy()
    # Anywhere in the reading, which takes seconds.
    await asyncio.sleep(random.uniform(0.1, 1.0))
    watch = Stopwatch()
    call.cancel()
    return await until_idle(watch)


async def _stopped_provider(stub: text_pb2_grpc.TextServiceAsyncStub, server: OpenAiServer) -> Took:
    server.client_left.clear()
    server.will_answer(Delta("Hello."), Stall())
    call = stub.StreamReply(_request([_said("Hello?")]))
    async for response in call:
        if _is_delta(response):
            break
    watch = Stopwatch()
    call.cancel()
    await server.client_left.wait()
    return watch.took()
