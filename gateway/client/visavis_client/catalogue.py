"""Lists of a gateway's voices and avatars go in, typed entries come out."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ConfigDict


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Voice(_Entry):
    """A voice that can be asked for by `name`."""

    name: str
    title: str = ""
    languages: list[str] = []
    gender: str = ""
    provider: str = ""
    default: bool = False


class Avatar(_Entry):
    """A face that can be asked for by `id`."""

    id: str
    name: str = ""
    poster_url: str | None = None
    default: bool = False


class _Voices(_Entry):
    voices: list[Voice]


class _Avatars(_Entry):
    avatars: list[Avatar]


def listed_voices(response: httpx.Response) -> list[Voice]:
    """The voices in the answer to GET /v1/voices."""
    return _Voices.model_validate_json(response.content).voices


def listed_avatars(response: httpx.Response) -> list[Avatar]:
    """The avatars in the answer to GET /v1/avatars."""
    return _Avatars.model_validate_json(response.content).avatars
