"""The faces that can speak: their names, posters, and the loops they move in while silent."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel
from visavis.rpc.failures import Failure, FailureType

from gateway.http.ranges import RangeNotSatisfiable, byte_range
from gateway.http.state import Gateway, gateway_of
from gateway.problems import RequestRefused
from gateway.stages.video import Avatar, AvatarFile

router = APIRouter(prefix="/v1/avatars", tags=["avatars"])
Served = Annotated[Gateway, Depends(gateway_of)]


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


class Avatars(BaseModel):
    """All faces."""

    avatars: list[AvatarItem]


@router.get("")
async def avatars(gateway: Served) -> Avatars:
    """The faces that can speak."""
    return Avatars(avatars=[_item(avatar) for avatar in await gateway.catalogue.avatars()])


@router.get("/{avatar_id}")
async def avatar(avatar_id: str, gateway: Served) -> AvatarItem:
    """One face."""
    return _item(await _known(gateway, avatar_id))


@router.get("/{avatar_id}/poster.jpg")
async def avatar_poster(avatar_id: str, request: Request, gateway: Served) -> Response:
    """The face at rest, JPEG."""
    return await _file(request, gateway, avatar_id, "poster")


@router.get("/{avatar_id}/idle.mp4")
async def avatar_idle(avatar_id: str, request: Request, gateway: Served) -> Response:
    """The face while it is silent: a loop without sound."""
    return await _file(request, gateway, avatar_id, "idle")


async def _file(request: Request, gateway: Gateway, avatar_id: str, file: AvatarFile) -> Response:
    known = await _known(gateway, avatar_id)
    media_type, data = await gateway.catalogue.avatar_file(known, file)
    named_by_hash = request.query_params.get("v") == known.hash
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": f'"{known.hash}-{file}"',
        "Cache-Control": "public, max-age=31536000, immutable" if named_by_hash else "no-cache",
    }
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    try:
        part = byte_range(request.headers.get("range"), len(data))
    except RangeNotSatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(data)}"})
    if part is None:
        return Response(data, media_type=media_type, headers=headers)
    start, end = part
    headers["Content-Range"] = f"bytes {start}-{end - 1}/{len(data)}"
    return Response(data[start:end], 206, media_type=media_type, headers=headers)


async def _known(gateway: Gateway, avatar_id: str) -> Avatar:
    try:
        return await gateway.catalogue.avatar(avatar_id)
    except Failure as failure:
        if failure.type is FailureType.UNKNOWN_AVATAR:
            raise RequestRefused(404, "not-found", failure.detail) from None
        raise


def _item(avatar: Avatar) -> AvatarItem:
    root = f"/v1/avatars/{avatar.id}"
    return AvatarItem(
        id=avatar.id,
        name=avatar.name,
        poster_url=f"{root}/poster.jpg?v={avatar.hash}",
        idle_url=f"{root}/idle.mp4?v={avatar.hash}",
        idle_seconds=avatar.idle_seconds,
        hash=avatar.hash,
        width_px=avatar.width_px,
        height_px=avatar.height_px,
        licence=avatar.licence,
        synthetic=avatar.synthetic,
        default=avatar.default,
    )
