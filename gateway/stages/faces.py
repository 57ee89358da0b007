"""What the lipsync service lists goes in, the faces and networks that can be asked for come out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from visavis.v1 import lipsync_pb2

AvatarFile: TypeAlias = Literal["poster", "idle"]


@dataclass(frozen=True, slots=True)
class Network:
    """A lip-sync network that can be asked for."""

    name: str
    version: str
    contract: str
    licence: str
    default: bool


@dataclass(frozen=True, slots=True)
class Avatar:
    """A face the user can choose."""

    id: str
    name: str
    hash: str
    idle_seconds: float
    width_px: int
    height_px: int
    licence: str
    synthetic: bool
    default: bool


@dataclass(frozen=True, slots=True)
class ChosenAvatar:
    """Who speaks. An uploaded one has a hash, and a bundle for workers that do not hold it yet."""

    id: str
    hash: str = ""
    bundle: Callable[[], Awaitable[bytes]] | None = field(default=None, repr=False)


def listed_avatar(listed: lipsync_pb2.Avatar) -> Avatar:
    """As the gateway speaks of it."""
    return Avatar(
        listed.id,
        listed.name,
        listed.hash,
        listed.idle_seconds,
        listed.width_px,
        listed.height_px,
        listed.licence,
        listed.synthetic,
        listed.default,
    )
