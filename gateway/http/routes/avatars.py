"""The faces that can speak: their names, posters, and the loops they move in while silent."""

from __future__ import annotations

import secrets
from contextlib import aclosing, suppress
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import JSONResponse, Response
from visavis.rpc.failures import Failure, FailureType

from gateway.callers import Caller
from gateway.http.avatar_events import STREAM_OF_AVATAR_EVENTS, Making, avatar_stream
from gateway.http.avatar_items import AvatarItem, AvatarList, avatar_item
from gateway.http.entrance import caller_of
from gateway.http.file_responses import file_or_range
from gateway.http.ranges import RangeNotSatisfiable, byte_range
from gateway.http.request_bodies import PORTRAIT_BODY
from gateway.http.state import Gateway, gateway_of
from gateway.http.uploads import PortraitUpload, portrait_upload
from gateway.media.store import MediaMissing
from gateway.portraits import MOST_AVATARS, AvatarExists, TooManyAvatars
from gateway.problems import RequestRefused
from gateway.stages.call import Call
from gateway.stages.faces import Avatar, AvatarFile
from gateway.tracing import current_traceparent

router = APIRouter(prefix="/v1/avatars", tags=["avatars"])
Served = Annotated[Gateway, Depends(gateway_of)]
Asking = Annotated[Caller, Depends(caller_of)]
_UNCHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "What the reader has is the same."}}


@router.get("")
async def avatars(gateway: Served, caller: Asking) -> AvatarList:
    """List the faces that can speak: those that ship, and your own."""
    own = [avatar_item(avatar, caller.name) for avatar in await gateway.portraits.all(caller.name)]
    return AvatarList(avatars=[*(avatar_item(avatar) for avatar in await gateway.catalogue.avatars()), *own])


@router.post(
    "",
    status_code=201,
    response_model=AvatarItem,
    responses={200: STREAM_OF_AVATAR_EVENTS, 201: {"description": "The avatar."}},
    openapi_extra={"requestBody": PORTRAIT_BODY},
)
async def add_avatar(
    request: Request,
    gateway: Served,
    caller: Asking,
    *,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Make an avatar of a portrait.

    It takes some seconds. The answer is the avatar; or, where `Accept` asks for `text/event-stream` or
    `application/x-ndjson`, how far it is while it is made, and at last the avatar. Who leaves such a stream
    ends the work.
    """
    upload = await portrait_upload(request)
    await gateway.rates.count(caller)
    making = await _making(gateway, caller, upload)
    stream = avatar_stream(making, caller.name, accept, gateway.settings.ping_seconds)
    if stream is not None:
        return stream
    async with aclosing(making) as parts:
        made = [part async for part in parts if isinstance(part, Avatar)]
    headers = {"Location": f"/v1/avatars/{made[0].id}"}
    return JSONResponse(avatar_item(made[0], caller.name).model_dump(), 201, headers=headers)


async def _making(gateway: Gateway, caller: Caller, upload: PortraitUpload) -> Making:
    """The work, which begins once it is iterated. Raises RequestRefused, there too."""
    try:
        await gateway.portraits.check_room(caller.name)
    except TooManyAvatars:
        raise RequestRefused(
            409, "too-many-avatars", f"{MOST_AVATARS} avatars are kept already. Delete one first."
        ) from None
    settings = gateway.settings
    work = f"avatar-{secrets.token_hex(4)}"
    call = Call.within(settings.build_seconds, current_traceparent(), settings.patience_seconds, work=work)

    async def making() -> Making:
        adding = gateway.portraits.add(caller.name, upload.name, upload.photo, upload.media_type, call)
        try:
            async with aclosing(adding) as parts:
                async for part in parts:
                    yield part
        except AvatarExists as exists:
            raise RequestRefused(
                409,
                "avatar-exists",
                f"There is an avatar {exists} already. Take another name, or delete it first.",
            ) from None

    return making()


@router.get("/{avatar_id}")
async def avatar(avatar_id: str, gateway: Served, caller: Asking) -> AvatarItem:
    """See one face."""
    own = await gateway.portraits.find(caller.name, avatar_id)
    return avatar_item(await _known(gateway, avatar_id)) if own is None else avatar_item(own, caller.name)


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
        # It may be deleted at this moment.
        with suppress(MediaMissing):
            return own, *await gateway.portraits.file(owner, own, file)
    known = await _known(gateway, avatar_id)
    return known, *await gateway.catalogue.avatar_file(known, file)


async def _known(gateway: Gateway, avatar_id: str) -> Avatar:
    try:
        return await gateway.catalogue.avatar(avatar_id)
    except Failure as failure:
        if failure.type is FailureType.UNKNOWN_AVATAR:
            raise RequestRefused(404, "not-found", failure.detail) from None
        raise
