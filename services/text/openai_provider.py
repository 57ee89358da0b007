"""A conversation goes to OpenAI, or a server with the same chat completions; the answer's parts come out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import httpx2
import openai
from openai.types.chat import ChatCompletionChunk
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import (
    Conversation,
    Message,
    Model,
    ModelDelta,
    ModelFinished,
    ModelOpened,
    ModelPart,
    TokenCount,
    Usage,
)
from services.text.openai_models import context_tokens, is_chat_model
from services.text.openai_refusals import Refusal, bad_callers_key, failure_for, unavailable
from services.text.openai_request import as_json, chat_request
from services.text.token_tables import has_table, load_table, prompt_tokens
from services.text.unsaid_usage import unsaid_usage

# Statuses of servers that have no such method, or not for this model.
_CANNOT_COUNT = (400, 404, 405, 501)
# A message's role and what surrounds it are never more tokens than this.
_MOST_TOKENS_AROUND = 16
# The library insists on a key; compatible servers without keys ignore it.
_NO_KEY = "none"


@dataclass(frozen=True, slots=True)
class OpenAiOptions:
    """How to reach the server. `base_url` None is OpenAI itself; `api_key` is the site's own."""

    api_key: str | None
    base_url: str | None
    model: str
    max_tokens: int
    # What models hold whose context is not published.
    context_tokens: int
    connect_seconds: float
    stall_seconds: float
    retries: int


class OpenAiProvider:
    """Writes replies through the `openai` library, with its retries and connection pool."""

    name = "openai"
    embedded = False

    def __init__(self, options: OpenAiOptions) -> None:
        self._options = options
        self._client = openai.AsyncOpenAI(
            api_key=options.api_key or _NO_KEY,
            base_url=options.base_url,
            max_retries=options.retries,
            timeout=openai.Timeout(options.stall_seconds, connect=options.connect_seconds),
        )

    async def prepare(self) -> None:
        """Builds the default model's token table. Nothing is asked of the network before the first reply.

        Raises:
            SystemExit: the installed table is not the published one.
        """
        if has_table(self._options.model):
            try:
                await asyncio.to_thread(load_table, self._options.model)
            except RuntimeError as error:
                raise SystemExit(str(error)) from None

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._client.close()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[ModelPart, None]:
        """See `Provider.answer`. Closing the generator closes the connection behind it."""
        model = conversation.model or self._options.model
        client = self._client_for(conversation.api_key)
        with _failing_as(callers_key=bool(conversation.api_key)):
            max_tokens = await self._room(client, conversation, model)
            # In a thread: biased words may need a table that is not built yet.
            request = await asyncio.to_thread(
                chat_request, conversation, model, max_tokens, at_openai=self._at_openai
            )
            chunks = await client.chat.completions.create(**request)
            yield ModelOpened(model=model, max_tokens=max_tokens)
            pieces = 0
            async with chunks, aclosing(_parts(chunks)) as parts:
                async for part in parts:
                    pieces += isinstance(part, ModelDelta)
                    if isinstance(part, ModelFinished) and part.usage == Usage():
                        usage = await asyncio.to_thread(unsaid_usage, conversation, model, pieces)
                        yield replace(part, usage=usage)
                    else:
                        yield part

    async def count_tokens(self, messages: Sequence[Message], model: str) -> TokenCount:
        """See `Provider.count_tokens`. The key is the site's.

        Raises:
            Failure: UNSUPPORTED_SETTING where neither this site nor the server can count.
        """
        model = model or self._options.model
        with _failing_as(callers_key=False):
            tokens = await self._prompt_tokens(self._client, messages, model)
        if tokens is None:
            raise Failure(
                FailureType.UNSUPPORTED_SETTING,
                f"Tokens cannot be counted: neither this site nor the server has a token table for {model}.",
            )
        return TokenCount(prompt_tokens=tokens, context_tokens=self._context_tokens(model))

    async def models(self) -> Sequence[Model]:
        """The default first, then what the server lists."""
        with _failing_as(callers_key=False):
            listed = [model.id async for model in self._client.models.list()]
        default = self._options.model
        others = {id_ for id_ in listed if id_ != default and (is_chat_model(id_) or not self._at_openai)}
        return [
            Model(id=id_, context_tokens=self._context_tokens(id_), default=id_ == default)
            for id_ in (default, *sorted(others))
        ]

    @property
    def _at_openai(self) -> bool:
        return self._client.base_url.host == "api.openai.com"

    def _context_tokens(self, model: str) -> int:
        published, own = context_tokens(model), self._options.context_tokens
        # Elsewhere a model may only be called like one of OpenAI's.
        return published or own if self._at_openai else own or published

    async def _room(self, client: openai.AsyncOpenAI, conversation: Conversation, model: str) -> int:
        """The most tokens of the answer: what was asked for, at most the site's limit and what is left."""
        wanted = min(conversation.max_tokens or self._options.max_tokens, self._options.max_tokens)
        context = self._context_tokens(model)
        # A token is at least a byte: what fits by its bytes need not be counted.
        most = sum(len(m.content.encode()) + _MOST_TOKENS_AROUND for m in conversation.messages)
        if not context or most + _MOST_TOKENS_AROUND + wanted <= context:
            return wanted
        tokens = await self._prompt_tokens(client, conversation.messages, model)
        if tokens is None:
            return wanted
        if tokens >= context:
            raise Failure(
                FailureType.CONTEXT_LENGTH_EXCEEDED,
                f"The conversation has {tokens:,} tokens; {model} holds {context:,}, its answer included:"
                " leave out older messages.",
            )
        return min(wanted, context - tokens)

    async def _prompt_tokens(
        self, client: openai.AsyncOpenAI, messages: Sequence[Message], model: str
    ) -> int | None:
        """By the model's table at OpenAI, as the server counts elsewhere; None: neither can tell."""
        known = has_table(model)
        if not (known and self._at_openai):
            # The type may be left out at OpenAI, but not at llama.cpp.
            typed = [{"type": "message", **message} for message in as_json(messages)]
            try:
                counted = await client.responses.input_tokens.count(model=model, input=cast("Any", typed))
            except openai.APIStatusError as error:
                if error.status_code not in _CANNOT_COUNT:
                    raise
            else:
                return counted.input_tokens
        return await asyncio.to_thread(prompt_tokens, messages, model) if known else None

    def _client_for(self, callers_key: str) -> openai.AsyncOpenAI:
        if not callers_key:
            return self._client
        # What no header may carry would look as if the server were out of reach.
        if not (callers_key.isascii() and callers_key.isprintable()):
            raise bad_callers_key()
        # The copy shares the pool of connections.
        return self._client.with_options(api_key=callers_key)


async def _parts(chunks: openai.AsyncStream[ChatCompletionChunk]) -> AsyncGenerator[ModelPart, None]:
    """Deltas, then the end: the usage comes in a chunk of its own, after the finish reason."""
    reason: str | None = None
    usage = Usage()
    async for chunk in chunks:
        text, new_reason, new_usage = _content(chunk)
        if text:
            yield ModelDelta(text)
        reason = new_reason or reason
        usage = new_usage or usage
    if reason is None:
        raise unavailable("The language model's answer broke off. Try again.")
    yield ModelFinished(reason=reason if reason in ("length", "content_filter") else "stop", usage=usage)


def _content(chunk: ChatCompletionChunk) -> tuple[str, str | None, Usage | None]:
    """Text, finish reason and usage. The library types chunks but does not check them."""
    try:
        usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens) if chunk.usage else None
        choice = chunk.choices[0] if chunk.choices else None
        text = choice.delta.content if choice and choice.delta else None
        reason = choice.finish_reason if choice else None
    except (AttributeError, TypeError) as error:
        raise unavailable("The language model's server sent something unreadable. Try again.") from error
    return text or "", reason, usage


@contextmanager
def _failing_as(*, callers_key: bool) -> Iterator[None]:
    """What the library raises leaves as a `Failure`. Upstream's own words may quote the caller: they stay."""
    try:
        yield
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        # In the middle of a stream the library lets its transport's errors through.
        raise unavailable("The language model cannot be reached, or fell silent. Try again.") from error
    except (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise unavailable("The language model's server sent something unreadable. Try again.") from error
    except openai.APIError as error:
        raise failure_for(_refusal(error), callers_key=callers_key) from error


def _refusal(error: openai.APIError) -> Refusal:
    status, retry_after_seconds = None, None
    if isinstance(error, openai.APIStatusError):
        status = error.status_code
        retry_after_seconds = _seconds(error.response.headers.get("retry-after", ""))
    return Refusal(
        status=status,
        code=str(error.code or ""),
        type=str(error.type or ""),
        param=error.param or "",
        message=error.message,
        retry_after_seconds=retry_after_seconds,
    )


def _seconds(header: str) -> float | None:
    try:
        return max(0.0, float(header))
    except ValueError:
        return None
