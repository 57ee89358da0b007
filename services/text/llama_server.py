"""A GGUF file and chat requests go in, completion chunks come out, computed in this process by llama.cpp.

xllamacpp runs llama.cpp's own server on threads outside Python's lock. It is spoken to over a Unix socket in
a directory that only this user can enter: the library's callbacks know neither token counts nor a way to stop
a request that is still reading its prompt.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import httpx2
import xllamacpp

# llama.cpp looks up from its work between two batches. 8 tokens take it about 0.05 s on one core.
_BATCH_TOKENS = 8
# Conversations that alternate: their read prompts are put aside here instead of being read anew.
_PROMPT_CACHE_MIB = 128
_COUNT_SECONDS = 10
# The pauses between them double from half a second: 15 s in all.
_CONNECT_TRIES = 6


class LlamaServer:
    """One model, one request at a time. Raises `httpx2.HTTPError` where the server refuses or breaks."""

    def __init__(self, model_path: Path, *, context_tokens: int, threads: int) -> None:
        self._model_path = model_path
        self._asked_context_tokens = context_tokens
        self._threads = threads
        self._directory: Path | None = None
        self._server: xllamacpp.Server | None = None
        self._client: httpx2.AsyncClient | None = None
        self.context_tokens = 0

    async def load(self) -> None:
        """Loads the model, off the event loop.

        Raises:
            RuntimeError: the file is no GGUF that llama.cpp can run.
        """
        # llama.cpp takes a host of this ending for a Unix socket.
        self._directory = Path(tempfile.mkdtemp(prefix="visavis-text-"))
        socket = str(self._directory / "llama.sock")
        self._server = await asyncio.to_thread(xllamacpp.Server, self._params(socket))
        self._client = httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(
                uds=socket,
                # On a busy machine the server may be there before its socket.
                retries=_CONNECT_TRIES,
                # The server drops idle connections without a word.
                limits=httpx2.Limits(max_keepalive_connections=0),
            ),
            base_url="http://llama",
            # A slow model is not a broken one; whoever waits has a deadline of their own.
            timeout=None,
        )
        properties = (await self._client.get("/props")).raise_for_status().json()
        self.context_tokens = int(properties["default_generation_settings"]["n_ctx"])

    async def close(self) -> None:
        """Stops the server's threads and frees the model."""
        if self._client is not None:
            await self._client.aclose()
        # Its destructor joins threads.
        server, self._server = [self._server], None
        await asyncio.to_thread(server.clear)
        if self._directory is not None:
            await asyncio.to_thread(shutil.rmtree, self._directory, ignore_errors=True)

    async def prompt_tokens(self, messages: Sequence[Mapping[str, str]]) -> int:
        """Exactly how many tokens the model reads for `messages`, its chat template included."""
        response = await self._running_client().post(
            "/v1/chat/completions/input_tokens", json={"messages": list(messages)}, timeout=_COUNT_SECONDS
        )
        return int(response.raise_for_status().json()["input_tokens"])

    async def chat(self, request: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any], None]:
        """The chunks of one completion (OpenAI's format). Closing the generator stops the computation."""
        body = {**request, "stream": True, "stream_options": {"include_usage": True}, "return_progress": True}
        async with self._running_client().stream("POST", "/v1/chat/completions", json=body) as response:
            response.raise_for_status()
            async for line in response.aiter_lines():
                if line.startswith("data: {"):
                    yield cast("dict[str, Any]", json.loads(line.removeprefix("data: ")))
                elif line.startswith("error: "):
                    raise httpx2.RemoteProtocolError("llama.cpp gave up in the middle of an answer")

    def _running_client(self) -> httpx2.AsyncClient:
        if self._client is None:
            raise httpx2.ConnectError("the model is not loaded")
        return self._client

    def _params(self, socket: str) -> xllamacpp.CommonParams:
        params = xllamacpp.CommonParams()
        params.model.path = str(self._model_path)
        params.hostnames = [socket]
        params.n_ctx = self._asked_context_tokens
        params.n_parallel = 1
        params.n_batch = params.n_ubatch = _BATCH_TOKENS
        params.cache_ram_mib = _PROMPT_CACHE_MIB
        # A conversation may end with the assistant's own words: it then speaks once more, as OpenAI's models
        # do, instead of going on in mid-message (and refusing two such messages).
        params.prefill_assistant = False
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = self._threads
        # Nothing at all: its log would quote prompts.
        params.verbosity = -1
        params.ui = False
        params.endpoint_slots = False
        return params
