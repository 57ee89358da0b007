"""A conversation goes to OpenAI, or a server with the same chat completions; the answer's parts come out."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from typing import Any

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

# The library insists on a key; compatible servers without keys ignore it.
_NO_KEY = "none"
# What an error event in the middle of a stream means in terms of HTTP.
_STATUS_OF_CODE = {
    "rate_limit_exceeded": 429,
    "insufficient_quota": 429,
    "invalid_api_key": 401,
    "model_not_found": 404,
}


@dataclass(frozen=True, slots=True)
class OpenAiOptions:
    """How to reach the server. `base_url` None is OpenAI itself; `api_key` is the site's own."""

    api_key: str | None
    base_url: str | None
    model: str
    max_tokens: int
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

    async def start(self) -> None:
        """Nothing is asked of the network before the first reply."""

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._client.close()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[ModelPart, None]:
        """See `Provider.answer`. Closing the generator closes the connection behind it."""
        if conversation.logit_bias:
            raise Failure(
                FailureType.UNSUPPORTED_SETTING,
                "logit_bias cannot be used: this site has no token tables for the model.",
            )
        model = conversation.model or self._options.model
        max_tokens = min(conversation.max_tokens or self._options.max_tokens, self._options.max_tokens)
        client = self._client_for(conversation.api_key)
        with _failing_as(callers_key=bool(conversation.api_key)):
            chunks = await client.chat.completions.create(**self._request(conversation, model, max_tokens))
            yield ModelOpened(model=model, max_tokens=max_tokens)
            async with chunks, aclosing(_parts(chunks)) as parts:
                async for part in parts:
                    yield part

    async def count_tokens(self, messages: Sequence[Message], model: str) -> TokenCount:  # noqa: ARG002
        """Refused: OpenAI publishes no way to count on its side."""
        raise Failure(
            FailureType.UNSUPPORTED_SETTING,
            "Tokens cannot be counted: this site has no token tables for the model.",
        )

    async def models(self) -> Sequence[Model]:
        """The default first, then what the server lists."""
        with _failing_as(callers_key=False):
            listed = [model.id async for model in self._client.models.list()]
        default = self._options.model
        return [
            Model(id=default, context_tokens=0, default=True),
            *(Model(id=id_, context_tokens=0, default=False) for id_ in sorted(set(listed) - {default})),
        ]

    def _client_for(self, callers_key: str) -> openai.AsyncOpenAI:
        # The copy shares the pool of connections.
        return self._client.with_options(api_key=callers_key) if callers_key else self._client

    def _request(self, conversation: Conversation, model: str, max_tokens: int) -> dict[str, Any]:
        request: dict[str, Any] = {
            "model": model,
            "messages": [{"role": str(m.role), "content": m.content} for m in conversation.messages],
            "stream": True,
            "stream_options": {"include_usage": True},
            limit_name(self._options.base_url): max_tokens,
            "temperature": conversation.temperature,
            "presence_penalty": conversation.presence_penalty,
            "frequency_penalty": conversation.frequency_penalty,
            "stop": list(conversation.stop) or None,
        }
        return {name: value for name, value in request.items() if value is not None}


def limit_name(base_url: str | None) -> str:
    """What the server calls the most tokens of an answer."""
    # OpenAI's newer models know only max_completion_tokens, many compatible servers only max_tokens.
    at_openai = base_url is None or httpx2.URL(base_url).host == "api.openai.com"
    return "max_completion_tokens" if at_openai else "max_tokens"


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
        raise _unavailable("The language model's answer broke off. Try again.")
    yield ModelFinished(reason=reason if reason in ("length", "content_filter") else "stop", usage=usage)


def _content(chunk: ChatCompletionChunk) -> tuple[str, str | None, Usage | None]:
    """Text, finish reason and usage. The library types chunks but does not check them."""
    try:
        usage = Usage(chunk.usage.prompt_tokens, chunk.usage.completion_tokens) if chunk.usage else None
        choice = chunk.choices[0] if chunk.choices else None
        text = choice.delta.content if choice and choice.delta else None
        reason = choice.finish_reason if choice else None
    except (AttributeError, TypeError) as error:
        raise _unavailable("The language model's server sent something unreadable. Try again.") from error
    return text or "", reason, usage


@contextmanager
def _failing_as(*, callers_key: bool) -> Iterator[None]:
    """What the library raises leaves as a `Failure`. Upstream's own words may quote the caller: they stay."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _refusal(error, error.status_code, callers_key=callers_key) from error
    except (openai.APIConnectionError, httpx2.HTTPError) as error:
        # In the middle of a stream the library lets its transport's errors through.
        raise _unavailable("The language model cannot be reached, or fell silent. Try again.") from error
    except (openai.APIResponseValidationError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise _unavailable("The language model's server sent something unreadable. Try again.") from error
    except openai.APIError as error:
        # An error event in the middle of a stream: it has a code, but no status.
        raise _refusal(error, _STATUS_OF_CODE.get(str(error.code), 500), callers_key=callers_key) from error


def _refusal(error: openai.APIError, status: int, *, callers_key: bool) -> Failure:
    """OpenAI's error codes: https://platform.openai.com/docs/guides/error-codes."""
    if error.code == "context_length_exceeded":
        return Failure(
            FailureType.CONTEXT_LENGTH_EXCEEDED,
            "The conversation is longer than the language model can hold: leave out older messages.",
        )
    if status in (401, 403):
        return _bad_caller_key() if callers_key else _site_quota_exhausted()
    if status == 429:
        if error.code == "insufficient_quota" and not callers_key:
            return _site_quota_exhausted()
        return Failure(
            FailureType.RATE_LIMITED,
            "The language model takes no more requests right now. Try again later.",
            retry_after_seconds=_retry_after_seconds(error),
        )
    if status == 404:
        return Failure(FailureType.UNKNOWN_MODEL, "The language model's server knows no such model.")
    if error.code in ("unsupported_value", "unsupported_parameter"):
        return Failure(
            FailureType.UNSUPPORTED_SETTING,
            f"The language model does not take this {error.param or 'setting'}.",
        )
    if 400 <= status < 500:
        return Failure(FailureType.INVALID_REQUEST, "The language model's server refused the conversation.")
    return _unavailable("The language model's server failed. Try again.")


def _bad_caller_key() -> Failure:
    return Failure(
        FailureType.CALLER_KEY_INVALID, "The language model refused your API key: check it, or leave it out."
    )


def _site_quota_exhausted() -> Failure:
    # Also stands for a site key that does not work: callers need not know which.
    return Failure(
        FailureType.SITE_QUOTA_EXHAUSTED,
        "This site's own access to the language model is used up: use your own API key, or come back later.",
    )


def _unavailable(detail: str) -> Failure:
    return Failure(FailureType.UPSTREAM_UNAVAILABLE, detail, retry_after_seconds=1)


def _retry_after_seconds(error: openai.APIError) -> float | None:
    if not isinstance(error, openai.APIStatusError):
        return None
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return None
