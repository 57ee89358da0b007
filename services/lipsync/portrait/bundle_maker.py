"""An upload's media type and length go in, what makes an avatar of it comes out: of a photo, or of a clip."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from services.lipsync.portrait import clip, photo
from services.lipsync.portrait.bundle import Progress, portrait_bundle
from services.lipsync.portrait.clip_bundle import clip_bundle
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.photo import UnusablePortrait

# Takes the upload's bytes, the avatar's name, the face networks and whom to tell; gives a bundle's zip.
BundleMaker: TypeAlias = Callable[[bytes, str, FaceModels, Progress], bytes]


def bundle_maker(media_type: str, byte_count: int) -> BundleMaker:
    """What makes an avatar of an upload, before its bytes come.

    Raises:
        UnusablePortrait: another kind of file, empty, or too large.
    """
    if media_type in photo.MEDIA_TYPES:
        _check_size("portrait", byte_count, photo.MOST_BYTES, "a smaller image")
        return portrait_bundle
    if media_type in clip.MEDIA_TYPES:
        _check_size("clip", byte_count, clip.MOST_BYTES, "a shorter clip")
        return partial(clip_bundle, media_type)
    raise UnusablePortrait("A portrait must be a JPEG, PNG or WebP image, or a short MP4, MOV or WebM clip.")


def _check_size(kind: str, byte_count: int, most: int, instead: str) -> None:
    if not byte_count:
        raise UnusablePortrait("The file is empty. Send another one.")
    if byte_count > most:
        raise UnusablePortrait(f"A {kind} may have {most >> 20} MiB at most. Send {instead}.")
