"""The body of a POST goes in, a checked request comes out, with the uploaded speech cut into pieces."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from gateway.http.state import gateway_of
from gateway.media.cutting import speech_pieces
from gateway.media.timeline import SPEECH_RATE_HZ
from gateway.media.upload import uploaded_pcm
from gateway.problems import RequestRefused
from gateway.requests import ReplyRequest, TokensRequest, parsed


@dataclass(frozen=True, slots=True)
class ReplyBody:
    """What was posted; `pieces` is None where no speech was uploaded."""

    request: ReplyRequest
    pieces: list[bytes] | None = field(default=None, repr=False)

    def digest(self) -> str:
        """The same for the same request, however its JSON was written."""
        digest = hashlib.sha256(self.request.model_dump_json().encode())
        for piece in self.pieces or ():
            digest.update(piece)
        return digest.hexdigest()


async def reply_body(request: Request) -> ReplyBody:
    """The body of a POST to /v1/replies. Raises RequestRefused, FieldsRefused, Failure."""
    kind = _media_type(request)
    if kind == "multipart/form-data":
        return await _with_speech(request)
    return ReplyBody(parsed(ReplyRequest, await _json(request, kind)))


async def tokens_body(request: Request) -> TokensRequest:
    """The body of a POST to /v1/tokens. Raises RequestRefused, FieldsRefused."""
    return parsed(TokensRequest, await _json(request, _media_type(request)))


async def _with_speech(request: Request) -> ReplyBody:
    settings = gateway_of(request).settings
    try:
        async with request.form(max_files=2, max_fields=1) as form:
            asked = parsed(ReplyRequest, await _text(form.get("request"), settings.max_body_bytes))
            audio = form.get("audio")
            if not isinstance(audio, UploadFile):
                raise RequestRefused(400, "malformed-request", "The part audio must be a file.")
            samples = await asyncio.to_thread(uploaded_pcm, audio.file, settings.max_speech_seconds)
    except HTTPException as error:
        raise RequestRefused(
            400, "malformed-request", f"The multipart body is broken: {error.detail}"
        ) from None
    return ReplyBody(asked, await asyncio.to_thread(speech_pieces, samples, SPEECH_RATE_HZ))


async def _text(part: UploadFile | str | None, max_bytes: int) -> bytes:
    """The JSON of the part `request`, which a browser sends as a file and others as a field."""
    if isinstance(part, UploadFile):
        text = await part.read(max_bytes + 1)
        if len(text) > max_bytes:
            raise RequestRefused(413, "too-long", f"The part request may have at most {max_bytes:,} bytes.")
        return text
    if part is None:
        raise RequestRefused(400, "malformed-request", "The part request must hold JSON, at least {}.")
    return part.encode()


async def _json(request: Request, kind: str) -> bytes:
    if kind != "application/json":
        raise RequestRefused(415, "unsupported-media-type", "Send JSON with Content-Type: application/json.")
    return await request.body()


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
