"""Photos or clips and names go in, avatars of their uploaders come out: kept until they are deleted."""

from __future__ import annotations

import io
import re
import zipfile
from functools import partial

from pydantic import TypeAdapter
from visavis.rpc.failures import Failure, FailureType

from gateway.media.store import MediaMissing, MediaStore
from gateway.stages.call import Call
from gateway.stages.faces import Avatar, AvatarFile, ChosenAvatar
from gateway.stages.video import VideoStage

MOST_AVATARS = 32
_RECORD, _BUNDLE = "avatar.json", "bundle.zip"
_FILES: dict[AvatarFile, tuple[str, str]] = {
    "poster": ("poster.jpg", "image/jpeg"),
    "idle": ("loop.mp4", "video/mp4"),
}
_AVATAR = TypeAdapter(Avatar)
# Both come from addresses and become parts of a path.
_NAME = re.compile(r"[A-Za-z0-9_][\w.@-]{0,63}")


class AvatarExists(Exception):
    """The uploader has an avatar of that id already."""


class TooManyAvatars(Exception):
    """The uploader must delete one first."""


class Portraits:
    """Every uploader sees only what is their own; `owner` is a caller's name."""

    def __init__(self, store: MediaStore, video: VideoStage) -> None:
        self._store = store
        self._video = video

    async def add(self, owner: str, name: str, photo: bytes, media_type: str, call: Call) -> Avatar:
        """Makes an avatar of a photo or a short silent clip and keeps it.

        Raises:
            Failure: invalid-request, with a sentence on what is wrong with it; or the stage's own.
            AvatarExists: of the same id.
            TooManyAvatars: 32 are kept already.
        """
        kept = await self._store.folders(owner)
        if len(kept) >= MOST_AVATARS:
            raise TooManyAvatars
        avatar, bundle = await self._video.built_avatar(photo, name, media_type, call)
        if avatar.id in kept or avatar.id in {known.id for known in await self._video.avatars(call)}:
            raise AvatarExists(avatar.id)
        folder = f"{owner}/{avatar.id}"
        await self._store.write(folder, _BUNDLE, bundle)
        with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
            for name_of_file, _ in _FILES.values():
                await self._store.write(folder, name_of_file, archive.read(name_of_file))
        # Last: what has a record is complete.
        await self._store.write(folder, _RECORD, _AVATAR.dump_json(avatar))
        return avatar

    async def all(self, owner: str) -> list[Avatar]:
        """Theirs, by id."""
        found = [await self.find(owner, avatar_id) for avatar_id in sorted(await self._store.folders(owner))]
        return [avatar for avatar in found if avatar is not None]

    async def find(self, owner: str, avatar_id: str) -> Avatar | None:
        """Theirs of that id."""
        if not (_NAME.fullmatch(owner) and _NAME.fullmatch(avatar_id)):
            return None
        try:
            return _AVATAR.validate_json(await self._store.read(f"{owner}/{avatar_id}", _RECORD))
        except MediaMissing:
            return None

    async def chosen(self, owner: str, avatar_id: str) -> ChosenAvatar | None:
        """Theirs of that id, as the video stage wants it."""
        avatar = await self.find(owner, avatar_id) if avatar_id else None
        if avatar is None:
            return None
        return ChosenAvatar(avatar.id, avatar.hash, partial(self._bundle, owner, avatar.id))

    async def file(self, owner: str, avatar_id: str, file: AvatarFile) -> tuple[str, bytes]:
        """Media type and bytes. Raises MediaMissing."""
        name, media_type = _FILES[file]
        return media_type, await self._store.read(f"{owner}/{avatar_id}", name)

    async def remove(self, owner: str, avatar_id: str) -> None:
        """Removes theirs of that id with all its files."""
        await self._store.remove(f"{owner}/{avatar_id}")

    async def _bundle(self, owner: str, avatar_id: str) -> bytes:
        try:
            return await self._store.read(f"{owner}/{avatar_id}", _BUNDLE)
        except MediaMissing:
            raise Failure(
                FailureType.UNKNOWN_AVATAR, f"The avatar {avatar_id!r} was deleted.", stage="video"
            ) from None
