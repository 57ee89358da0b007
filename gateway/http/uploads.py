"""A multipart body with a portrait goes in; the image or clip, its name and the consent come out, checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

from gateway.problems import FieldsRefused, RequestRefused

_CONSENT = (
    "Send consent=true if you may use this portrait: the person in it has agreed, or nobody's rights stand "
    "against it."
)


@dataclass(frozen=True, slots=True)
class PortraitUpload:
    """A photo or a short silent clip to make an avatar of."""

    name: str
    media_type: str
    photo: bytes = field(repr=False)


async def portrait_upload(request: Request) -> PortraitUpload:
    """The body of a POST to /v1/avatars: parts `image`, `name` and `consent`.

    Raises RequestRefused, FieldsRefused.
    """
    kind = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
    if kind != "multipart/form-data":
        raise RequestRefused(
            415, "unsupported-media-type", "Send multipart/form-data with the parts image, name and consent."
        )
    try:
        async with request.form(max_files=1, max_fields=2) as form:
            return await _checked(form)
    except HTTPException as error:
        raise RequestRefused(
            400, "malformed-request", f"The multipart body is broken: {error.detail}"
        ) from None


async def _checked(form: FormData) -> PortraitUpload:
    image, name = form.get("image"), form.get("name")
    errors = []
    if not isinstance(image, UploadFile):
        errors.append({"field": "image", "detail": "Send a JPEG, PNG or WebP file, or a short clip."})
    if not isinstance(name, str) or not name.strip():
        errors.append({"field": "name", "detail": "Say what the avatar is to be called."})
    if form.get("consent") != "true":
        errors.append({"field": "consent", "detail": _CONSENT})
    if errors or not isinstance(image, UploadFile) or not isinstance(name, str):
        raise FieldsRefused(errors)
    media_type = (image.content_type or "").split(";", 1)[0].strip().lower()
    return PortraitUpload(name.strip(), media_type, await image.read())
