"""The faces that can speak: their names, posters, and the loops they move in while silent."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import BaseModel
from visavis.rpc.failures import Failure, FailureType

from gateway.callers import Caller
from gateway.http.entrance import caller_of
from gateway.http.file_responses import file_or_range
from gateway.http.ranges import RangeNotSatisfiable, byte_range
from gateway.http.request_bodies import PORTRAIT_BODY
from gateway.http.state import Gateway, gateway_of
from gateway.http.uploads import portrait_upload
from gateway.portraits import MOST_AVATARS, AvatarExists, TooManyAvatars
from gateway.problems import RequestRefused
from gateway.stages.call import Call
from gateway.stages.faces import Avatar, AvatarFile
from gateway.tracing import current_traceparent

router = APIRouter(prefix="/v1/avatars", tags=["avatars"])
Served = Annotated[Gateway, Depends(gateway_of)]
Asking = Annotated[Caller, Depends(caller_of)]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What the reader has is the same."}}


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


class Avatars(BaseModel):
    """All faces."""

    avatars: list[AvatarItem]


@router.get("")
async def avatars(gateway: Served, caller: Asking) -> Avatars:
    """List the faces that can speak: those that ship, and your own."""
    own = [_item(avatar, caller.name) for avatar in await gateway.portraits.all(caller.name)]
    return Avatars(avatars=[*(_item(avatar) for avatar in await gateway.catalogue.avatars()), *own])


@router.post("", status_code=201, openapi_extra={"requestBody": PORTRAIT_BODY})
async def add_avatar(request: Request, response: Response, gateway: Served, caller: Asking) -> AvatarItem:
    """Make an avatar of a portrait; it takes some seconds."""
    upload = await portrait_upload(request)
    await gateway.rates.count(caller)
    call = Call.within(gateway.settings.build_seconds, current_traceparent())
    try:
        added = await gateway.portraits.add(caller.name, upload.name, upload.photo, upload.media_type, call)
    except AvatarExists as exists:
        raise RequestRefused(
            409,
            "avatar-exists",
            f"There is an avatar {exists} already. Take another name, or delete it first.",
        ) from None
    except TooManyAvatars:
        raise RequestRefused(
            409, "too-many-avatars", f"{MOST_AVATARS} avatars are kept already. Delete one first."
        ) from None
    response.headers["Location"] = f"/v1/avatars/{added.id}"
    return _item(added, caller.name)


@router.get("/{avatar_id}")
async def avatar(avatar_id: str, gateway: Served, caller: Asking) -> AvatarItem:
    """See one face."""
    own = await gateway.portraits.find(caller.name, avatar_id)
    return _item(await _known(gateway, avatar_id)) if own is None else _item(own, caller.name)


@router.delete("/{avatar_id}", status_code=204)
async def remove_avatar(avatar_id: str, gateway: Served, caller: Asking) -> None:
    """Remove one of your own faces."""
    if await gateway.portraits.find(caller.name, avatar_id) is None:
        raise RequestRefused(404, "not-found", f"You have added no avatar {avatar_id!r}.")
    await gateway.portraits.remove(caller.name, avatar_id)


@router.get(
    "/{avatar_id}/poster.jpg", response_class=Response, responses=file_or_range("image/jpeg") | _UNCHANGED
)
async def avatar_poster(avatar_id: str, request: Request, gateway: Served) -> Response:
    """See the face at rest."""
    return await _file(request, gateway, avatar_id, "poster")


@router.get(
    "/{avatar_id}/idle.mp4", response_class=Response, responses=file_or_range("video/mp4") | _UNCHANGED
)
async def avatar_idle(avatar_id: str, request: Request, gateway: Served) -> Response:
    """See the face while it is silent: a loop without sound."""
    return await _file(request, gateway, avatar_id, "idle")


async def _file(request: Request, gateway: Gateway, avatar_id: str, file: AvatarFile) -> Response:
    known, media_type, data = await _opened(request, gateway, avatar_id, file)
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


async def _opened(
    request: Request, gateway: Gateway, avatar_id: str, file: AvatarFile
) -> tuple[Avatar, str, bytes]:
    """An uploaded face is shown to whoever has its address, which only its uploader is told."""
    owner = request.query_params.get("of", "")
    own = await gateway.portraits.find(owner, avatar_id) if owner else None
    if own is not None and request.query_params.get("v") == own.hash:
        return own, *await gateway.portraits.file(owner, avatar_id, file)
    known = await _known(gateway, avatar_id)
    return known, *await gateway.catalogue.avatar_file(known, file)


async def _known(gateway: Gateway, avatar_id: str) -> Avatar:
    try:
        return await gateway.catalogue.avatar(avatar_id)
    except Failure as failure:
        if failure.type is FailureType.UNKNOWN_AVATAR:
            raise RequestRefused(404, "not-found", failure.detail) from None
        raise


def _item(avatar: Avatar, owner: str = "") -> AvatarItem:
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
