"""Lists of what a gateway has to offer go in, typed entries come out: models, voices, avatars."""

from __future__ import annotations

import httpx
from pydantic import BaseModel, ConfigDict


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Provider(_Entry):
    """Where a stage's work is done; `embedded` when it stays on the operator's own machines."""

    name: str
    embedded: bool


class Model(_Entry):
    """A language model that can be asked for by `id`."""

    id: str
    provider: Provider
    context_tokens: int = 0
    default: bool = False


class Voice(_Entry):
    """A voice that can be asked for by `name`."""

    name: str
    title: str = ""
    languages: list[str] = []
    gender: str = ""
    provider: Provider
    default: bool = False


class Avatar(_Entry):
    """A face that can be asked for by `id`."""

    id: str
    name: str = ""
    poster_url: str | None = None
    default: bool = False


class _Models(_Entry):
    models: list[Model]


class _Voices(_Entry):
    voices: list[Voice]


class _Avatars(_Entry):
    avatars: list[Avatar]


def listed_models(response: httpx.Response) -> list[Model]:
    """The models in the answer to GET /v1/models."""
    return _Models.model_validate_json(response.content).models


def listed_voices(response: httpx.Response) -> list[Voice]:
    """The voices in the answer to GET /v1/voices."""
    return _Voices.model_validate_json(response.content).voices


def listed_avatars(response: httpx.Response) -> list[Avatar]:
    """The avatars in the answer to GET /v1/avatars."""
    return _Avatars.model_validate_json(response.content).avatars
