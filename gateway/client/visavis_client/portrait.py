"""A photo's or clip's path, a name and a consent go in; progress, then the avatar made of it come out."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeAlias

import httpx
from httpx_sse import ServerSentEvent, SSEError, aconnect_sse, connect_sse
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from visavis_client.catalogue import Avatar
from visavis_client.connection import translated
from visavis_client.errors import Unreachable, problem, response_problem

# What Python's own table lacks or calls otherwise, whatever the system's tables hold.
_MEDIA_TYPES = {
    ".webp": "image/webp",
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}
_ANY_OBJECT = TypeAdapter(dict[str, Any])
_CUT_OFF = "The line to the server was lost before the avatar was there. Try again."


class AvatarProgress(BaseModel):
    """How far an avatar is: what is being done ("waiting", "face", "loop" …), the share of the work done."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    step: str
    fraction: float


Watcher: TypeAlias = Callable[[AvatarProgress], object]


def added_avatar(http: httpx.Client, request: dict[str, Any], watcher: Watcher | None) -> Avatar:
    """Sends `portrait_request`'s request. Raises Problem, Unreachable."""
    with translated(http.base_url), connect_sse(http, "POST", "/v1/avatars", **request) as source:
        if source.response.is_error:
            source.response.read()
            raise response_problem(source.response)
        try:
            for sent in source.iter_sse():
                avatar = _heard(sent, watcher)
                if avatar is not None:
                    return avatar
        except SSEError:
            raise _no_gateway(http) from None
    raise Unreachable(_CUT_OFF)


async def added_avatar_async(
    http: httpx.AsyncClient, request: dict[str, Any], watcher: Watcher | None
) -> Avatar:
    """As `added_avatar`, for asyncio."""
    with translated(http.base_url):
        async with aconnect_sse(http, "POST", "/v1/avatars", **request) as source:
            if source.response.is_error:
                await source.response.aread()
                raise response_problem(source.response)
            try:
                async with aclosing(source.aiter_sse()) as sent_events:
                    async for sent in sent_events:
                        avatar = _heard(sent, watcher)
                        if avatar is not None:
                            return avatar
            except SSEError:
                raise _no_gateway(http) from None
    raise Unreachable(_CUT_OFF)


def portrait_request(photo: Path, name: str, *, consent: bool) -> dict[str, Any]:
    """Arguments for an httpx client's POST to /v1/avatars. Raises OSError."""
    media_type = _MEDIA_TYPES.get(photo.suffix.lower()) or mimetypes.guess_type(photo.name)[0]
    return {
        "data": {"name": name, "consent": "true" if consent else "false"},
        "files": {"image": (photo.name, photo.read_bytes(), media_type or "application/octet-stream")},
    }


def _heard(sent: ServerSentEvent, watcher: Watcher | None) -> Avatar | None:
    """The avatar, once it is there. Raises Problem, Unreachable."""
    try:
        if sent.event == "error":
            raise problem(_ANY_OBJECT.validate_json(sent.data))
        if sent.event == "done":
            return Avatar.model_validate_json(sent.data)
        if sent.event == "progress" and watcher is not None:
            watcher(AvatarProgress.model_validate_json(sent.data))
    except ValidationError:
        raise Unreachable(f"The server sent an event that cannot be read: {sent.event}.") from None
    return None


def _no_gateway(http: httpx.Client | httpx.AsyncClient) -> Unreachable:
    return Unreachable(f"What answers at {http.base_url.host} is not a gateway of Vis-à-vis.")
