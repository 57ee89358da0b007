"""Messages, a text or speech go in; a reply whose events can be followed comes out. For asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path
from types import TracebackType
from typing import Any, Self, Unpack
from urllib.parse import quote

import httpx
from httpx_sse import aconnect_sse

from visavis_client.catalogue import (
    Avatar,
    Avatars,
    Model,
    Models,
    Network,
    Networks,
    Tokens,
    Voice,
    Voices,
)
from visavis_client.connection import connection, parsed, translated
from visavis_client.cursor import PATIENT, Cursor, Patience
from visavis_client.errors import response_problem
from visavis_client.events import Done, Event
from visavis_client.media import Media, media_file
from visavis_client.new_file import new_file
from visavis_client.portrait import Watcher, added_avatar_async, portrait_request
from visavis_client.request import Created, Message, ReplyOptions, reply_request


class AsyncReply:
    """A reply that is being made. Iterating gives its events from the first to the last, each once.

    A lost line is taken up again where it broke; iterating again starts at the first event.
    """

    def __init__(self, reply_id: str, http: httpx.AsyncClient, patience: Patience) -> None:
        self.id = reply_id
        self._path = f"/v1/replies/{reply_id}"
        self._http = http
        self._patience = patience
        self._done: Done | None = None

    def __aiter__(self) -> AsyncGenerator[Event, None]:
        return self.events()

    async def events(self) -> AsyncGenerator[Event, None]:
        """The events until `Done`.

        Raises:
            Problem: the reply failed.
            Unreachable: the line was lost too often.
        """
        cursor = Cursor(self._patience)
        while cursor.done is None:
            async with aclosing(self._events_of_one_line(cursor)) as events:
                async for event in events:
                    # Kept before it is handed out: the caller may stop there.
                    self._done = cursor.done
                    yield event
            if cursor.done is None:
                await asyncio.sleep(cursor.lost())

    async def done(self) -> Done:
        """Waits for the end. Raises as `events` does."""
        while self._done is None:
            async for _ in self.events():
                pass
        return self._done

    async def cancel(self) -> None:
        """Stops every stage; what has been made stays. A reply that has ended is left as it is."""
        await _answer(self._http, "POST", f"{self._path}/cancel")

    async def remove(self) -> None:
        """Removes events and media of a reply that has ended; stops one that has not."""
        await _answer(self._http, "DELETE", self._path)

    async def save(self, path: Path | str, media: Media = "video") -> None:
        """Waits for the end and writes a file, which appears at `path` only once all of it is there.

        Args:
            path: where to; a file that is there is replaced.
            media: the video is MP4 (H.264, AAC), the audio WAV, the captions WebVTT.

        Raises:
            NothingMade: the reply was cancelled, or nothing in it could be spoken.
            Problem: the reply failed.
            Unreachable: the line was lost too often.
            OSError: the path cannot be written.
        """
        name = media_file(await self.done(), media)
        with new_file(Path(path)) as file, translated(self._http.base_url):
            async with self._http.stream("GET", f"{self._path}/{name}") as response:
                if response.is_error:
                    await response.aread()
                    raise response_problem(response)
                async for block in response.aiter_bytes():
                    file.write(block)

    async def _events_of_one_line(self, cursor: Cursor) -> AsyncGenerator[Event, None]:
        try:
            async with aconnect_sse(
                self._http, "GET", f"{self._path}/events", headers=cursor.headers
            ) as source:
                if source.response.is_error:
                    await source.response.aread()
                if not cursor.check(source.response):
                    return
                async with aclosing(source.aiter_sse()) as sent_events:
                    async for sent in sent_events:
                        event = cursor.event(sent)
                        if event is not None:
                            yield event
                        if cursor.done is not None:
                            return
        except httpx.TransportError:
            return


class AsyncClient:
    """A gateway, spoken to from asyncio. Use it as a context manager, or close it.

    Args:
        server: its address, such as http://127.0.0.1:8000.
        api_key: sent as a bearer token.
        patience: with lost lines.
    """

    def __init__(self, server: str, *, api_key: str | None = None, patience: Patience = PATIENT) -> None:
        self._http = httpx.AsyncClient(**connection(server, api_key))
        self._patience = patience

    async def reply(
        self,
        *,
        messages: Sequence[Message] | None = None,
        say: str | None = None,
        audio: Path | bytes | None = None,
        idempotency_key: str | None = None,
        llm_api_key: str | None = None,
        **options: Unpack[ReplyOptions],
    ) -> AsyncReply:
        """Asks for a reply; the work has started when this returns.

        Args:
            messages: a conversation for the language model to answer.
            say: a text to speak word for word.
            audio: recorded speech (a sound file or its bytes); only the face is made.
            idempotency_key: the same key and request give the same reply, made once.
            llm_api_key: the caller's own key for the language model; never stored.
            options: how it is made, see `ReplyOptions`.

        Raises:
            Problem: the gateway refuses the request.
            Unreachable: no gateway answers.
            ValueError: not exactly one of `messages`, `say` and `audio` is given, or a key is none.
        """
        request = reply_request(
            messages=messages,
            say=say,
            audio=audio,
            idempotency_key=idempotency_key,
            llm_api_key=llm_api_key,
            options=options,
        )
        response = await _answer(self._http, "POST", "/v1/replies", **request)
        return AsyncReply(parsed(Created, response).id, self._http, self._patience)

    def reply_of(self, reply_id: str) -> AsyncReply:
        """A reply that was asked for before, perhaps by another process; nothing is sent yet."""
        return AsyncReply(reply_id, self._http, self._patience)

    async def models(self) -> list[Model]:
        """The language models that can be asked for."""
        return parsed(Models, await _answer(self._http, "GET", "/v1/models")).models

    async def voices(self) -> list[Voice]:
        """The voices that can be asked for."""
        return parsed(Voices, await _answer(self._http, "GET", "/v1/voices")).voices

    async def avatars(self) -> list[Avatar]:
        """The faces that can be asked for."""
        return parsed(Avatars, await _answer(self._http, "GET", "/v1/avatars")).avatars

    async def networks(self) -> list[Network]:
        """The lip-sync networks that can be asked for."""
        return parsed(Networks, await _answer(self._http, "GET", "/v1/networks")).networks

    async def count_tokens(self, messages: Sequence[Message], model: str = "") -> Tokens:
        """How long the messages are for a model; an empty name is the default one."""
        body = {"messages": list(messages), "model": model}
        return parsed(Tokens, await _answer(self._http, "POST", "/v1/tokens", json=body))

    async def add_avatar(
        self, photo: Path | str, name: str, *, consent: bool, watcher: Watcher | None = None
    ) -> Avatar:
        """Makes an avatar of a photo or silent clip of one frontal face; it takes some seconds.

        Args:
            photo: a JPEG, PNG or WebP file, or 2 to 10 s of MP4, MOV or WebM.
            name: what it is called; its id is made of it.
            consent: the caller may use this portrait.
            watcher: called as it proceeds.

        Raises:
            Problem: the file cannot be used; says why.
            Unreachable: no gateway answers.
            OSError: the file cannot be read.
        """
        request = portrait_request(Path(photo), name, consent=consent)
        return await added_avatar_async(self._http, request, watcher)

    async def remove_avatar(self, avatar_id: str) -> None:
        """Removes an avatar that this caller has added. Raises Problem, Unreachable."""
        await _answer(self._http, "DELETE", f"/v1/avatars/{quote(avatar_id, safe='')}")

    async def aclose(self) -> None:
        """Closes the connections; replies go on."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


async def _answer(http: httpx.AsyncClient, method: str, path: str, **arguments: Any) -> httpx.Response:
    with translated(http.base_url):
        response = await http.request(method, path, **arguments)
    if response.is_error:
        raise response_problem(response)
    return response
