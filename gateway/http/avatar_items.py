"""Avatars go in, what clients are told of them comes out: as entries of a list, and while they are made."""

from __future__ import annotations

from typing import ClassVar
from urllib.parse import quote

from pydantic import BaseModel, Field

from gateway.reply.events import Event, Problem
from gateway.stages.faces import Avatar


class AvatarItem(BaseModel):
    """A face. The addresses change with its content, so that they may be kept for good."""

    id: str
    name: str
    poster_url: str
    idle_url: str
    idle_seconds: float
    hash: str
    width_px: int
    height_px: int
    licence: str
    synthetic: bool
    default: bool
    own: bool


class AvatarList(BaseModel):
    """All faces."""

    avatars: list[AvatarItem]


class AvatarProgress(Event):
    """How far an avatar is. `fraction` is a share of the work; it never moves back and stays below 1."""

    event_name: ClassVar[str] = "progress"
    step: str = Field(
        description="`waiting` for a worker, `reading`, `face`, `mouth`, `loop`, `packing`; more may come."
    )
    fraction: float


class AvatarDone(AvatarItem, Event):
    """Terminal: the avatar can be asked for."""

    event_name: ClassVar[str] = "done"


AVATAR_EVENTS: tuple[type[Event], ...] = (AvatarProgress, AvatarDone, Problem)


def avatar_item(avatar: Avatar, owner: str = "") -> AvatarItem:
    """What clients see of it; one without an owner ships with the service."""
    root = f"/v1/avatars/{avatar.id}"
    version = f"v={avatar.hash}" + (f"&of={quote(owner)}" if owner else "")
    return AvatarItem(
        id=avatar.id,
        name=avatar.name,
        poster_url=f"{root}/poster.jpg?{version}",
        idle_url=f"{root}/idle.mp4?{version}",
        idle_seconds=avatar.idle_seconds,
        hash=avatar.hash,
        width_px=avatar.width_px,
        height_px=avatar.height_px,
        licence=avatar.licence,
        synthetic=avatar.synthetic,
        default=avatar.default,
        own=bool(owner),
    )
