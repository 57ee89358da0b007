"""GET of a reply's media: growing while they are made, with ranges once they are finished."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import Response, StreamingResponse

from gateway.http.file_responses import file_or_range, whole_text
from gateway.http.growing import growing_audio, growing_video
from gateway.http.ranges import RangeNotSatisfiable, byte_range
from gateway.http.state import Gateway, gateway_of
from gateway.media.captions import captions
from gateway.media.movie import poster
from gateway.media.playlist import playlist
from gateway.media.store import MediaMissing
from gateway.problems import RequestRefused
from gateway.reply.event_log import followed
from gateway.reply.events import FragmentEvent, UtteranceEvent

router = APIRouter(prefix="/v1/replies/{reply_id}", tags=["media"])
Served = Annotated[Gateway, Depends(gateway_of)]
Index = Annotated[int, Path(ge=0, le=100_000)]

# Written once and never replaced.
_FOREVER = {"Cache-Control": "private, max-age=86400, immutable"}
_GROWING = {"Cache-Control": "no-store", "Accept-Ranges": "none", "X-Accel-Buffering": "no"}
# A player that comes early is kept waiting rather than given an empty playlist, which some take for broken.
_FIRST_FRAGMENT_SECONDS = 30.0


@router.get("/video.mp4", response_class=Response, responses=file_or_range("video/mp4"))
@router.head("/video.mp4", include_in_schema=False)
async def video(reply_id: str, request: Request, gateway: Served) -> Response:
    """Play the video.

    One MP4 that plays while it grows; supports Range once it is finished.
    """
    await gateway.check_known(reply_id)
    try:
        return await _file(request, gateway, reply_id, "video.mp4", "video/mp4")
    except MediaMissing:
        await _check_coming(gateway, reply_id, "fragment")
        return _growing(request, growing_video(gateway.log, gateway.media, reply_id), "video/mp4")


@router.get("/audio.wav", response_class=Response, responses=file_or_range("audio/wav"))
@router.head("/audio.wav", include_in_schema=False)
async def audio(reply_id: str, request: Request, gateway: Served) -> Response:
    """Play the speech.

    One WAV file that plays while it grows; supports Range once it is finished.
    """
    await gateway.check_known(reply_id)
    try:
        return await _file(request, gateway, reply_id, "audio.wav", "audio/wav")
    except MediaMissing:
        await _check_coming(gateway, reply_id, "utterance")
        return _growing(request, growing_audio(gateway.log, gateway.media, reply_id), "audio/wav")


@router.get("/video.m3u8", response_class=Response, responses=whole_text("application/vnd.apple.mpegurl"))
async def hls_playlist(reply_id: str, gateway: Served) -> Response:
    """Play the video over HLS.

    CMAF fragments as far as they have been made; the playlist is ended once the reply has ended.
    """
    await gateway.check_known(reply_id)
    await _first(gateway, reply_id, "fragment")
    events = await gateway.log.read(reply_id)
    fragments = [FragmentEvent.model_validate(event.data) for event in events if event.type == "fragment"]
    if not fragments:
        raise _not_there("There is no video of this reply (yet).")
    text = playlist(fragments, ended=events[-1].terminal, query=gateway.signatures.query(reply_id))
    return Response(text, media_type="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})


@router.get("/captions.vtt", response_class=Response, responses=whole_text("text/vtt"))
async def webvtt_captions(reply_id: str, gateway: Served) -> Response:
    """Read the captions.

    WebVTT with the time of each word, as far as it has been spoken.
    """
    await gateway.check_known(reply_id)
    events = await gateway.log.read(reply_id)
    said = [UtteranceEvent.model_validate(event.data) for event in events if event.type == "utterance"]
    return Response(captions(said), media_type="text/vtt", headers={"Cache-Control": "no-store"})


@router.get("/poster.jpg", response_class=Response, responses=file_or_range("image/jpeg"))
async def poster_picture(reply_id: str, request: Request, gateway: Served) -> Response:
    """See the video's first picture."""
    await gateway.check_known(reply_id)
    try:
        return await _file(request, gateway, reply_id, "poster.jpg", "image/jpeg")
    except MediaMissing:
        pass
    try:
        parts = [await gateway.media.read(reply_id, name) for name in ("init.mp4", "0.m4s")]
    except MediaMissing:
        raise _not_there("There is no picture of this reply (yet).") from None
    picture = await asyncio.to_thread(poster, b"".join(parts))
    await gateway.media.write(reply_id, "poster.jpg", picture)
    return Response(picture, media_type="image/jpeg", headers=_FOREVER)


@router.get("/init.mp4", response_class=Response, responses=file_or_range("video/mp4"))
async def init_segment(reply_id: str, request: Request, gateway: Served) -> Response:
    """Fetch the init segment that belongs before every fragment."""
    return await _part(request, gateway, reply_id, "init.mp4", "video/mp4")


@router.get("/{index}.m4s", response_class=Response, responses=file_or_range("video/iso.segment"))
async def fragment(reply_id: str, index: Index, request: Request, gateway: Served) -> Response:
    """Fetch one CMAF fragment."""
    return await _part(request, gateway, reply_id, f"{index}.m4s", "video/iso.segment")


@router.get("/{index}.wav", response_class=Response, responses=file_or_range("audio/wav"))
async def utterance_speech(reply_id: str, index: Index, request: Request, gateway: Served) -> Response:
    """Fetch one utterance's speech, the silence around it included."""
    return await _part(request, gateway, reply_id, f"{index}.wav", "audio/wav")


async def _part(request: Request, gateway: Gateway, reply_id: str, name: str, media_type: str) -> Response:
    await gateway.check_known(reply_id)
    try:
        return await _file(request, gateway, reply_id, name, media_type)
    except MediaMissing:
        raise _not_there(f"{name} is not there (yet).") from None


async def _file(request: Request, gateway: Gateway, reply_id: str, name: str, media_type: str) -> Response:
    """A stored file or a range of it. Raises MediaMissing."""
    size = await gateway.media.size(reply_id, name)
    headers = _FOREVER | {"Accept-Ranges": "bytes", "ETag": f'"{reply_id}/{name}"'}
    try:
        part = byte_range(request.headers.get("range"), size)
    except RangeNotSatisfiable:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    headers["Content-Length"] = str(end - start)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    status = 200 if part is None else 206
    if request.method == "HEAD":
        return Response(status_code=status, media_type=media_type, headers=headers)
    pieces = gateway.media.pieces(reply_id, name, start, end)
    return StreamingResponse(pieces, status, media_type=media_type, headers=headers)


def _growing(request: Request, pieces: AsyncGenerator[bytes, None], media_type: str) -> Response:
    if request.method == "HEAD":
        head = Response(media_type=media_type, headers=_GROWING)
        # Not known yet, and not the 0 of a response without a body.
        del head.headers["Content-Length"]
        return head
    return StreamingResponse(pieces, media_type=media_type, headers=_GROWING)


async def _check_coming(gateway: Gateway, reply_id: str, event_type: str) -> None:
    """Raises RequestRefused (404) where the reply has ended, or ends, without any such event."""
    if not await _first(gateway, reply_id, event_type):
        raise _not_there("This reply has none, and none is to come.")


async def _first(gateway: Gateway, reply_id: str, event_type: str) -> bool:
    """Waits for the first such event; False where none comes."""
    async with aclosing(followed(gateway.log, reply_id, idle_seconds=_FIRST_FRAGMENT_SECONDS)) as events:
        async for event in events:
            if event is None:
                return False
            if event.type == event_type:
                return True
    return False


def _not_there(detail: str) -> RequestRefused:
    return RequestRefused(404, "not-found", detail, headers={"Retry-After": "1"})
