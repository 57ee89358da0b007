"""What a gateway has to offer goes in, typed entries come out: models, voices, avatars, networks, counts."""

from __future__ import annotations

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


class Network(_Entry):
    """A lip-sync network that can be asked for by `name`."""

    name: str
    version: str = ""
    licence: str = ""
    default: bool = False


class Tokens(_Entry):
    """How long messages are, and how much the model can read, its answer included (0: unknown)."""

    prompt_tokens: int
    context_tokens: int = 0


class Models(_Entry):
    """The answer to GET /v1/models."""

    models: list[Model]


class Voices(_Entry):
    """The answer to GET /v1/voices."""

    voices: list[Voice]


class Avatars(_Entry):
    """The answer to GET /v1/avatars."""

    avatars: list[Avatar]


class Networks(_Entry):
    """The answer to GET /v1/networks."""

    networks: list[Network]
