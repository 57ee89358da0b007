"""Photos or clips and names go in, avatars of their uploaders come out: kept until they are deleted."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from functools import partial

from pydantic import TypeAdapter
from visavis.rpc.failures import Failure, FailureType

from gateway.media.store import MediaMissing, MediaStore
from gateway.stages.building import BuildStarted, BuildStep, BuiltAvatar, Waiting
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
_NAME = re.compile(r"\w[\w.@-]{0,63}")


class AvatarExists(Exception):
    """The uploader has an avatar of that id already."""


class TooManyAvatars(Exception):
    """The uploader must delete one first."""


class Portraits:
    """Every uploader sees only what is their own; `owner` is a caller's name.

    A record takes an id. It lies beside a folder that its hash names, with all that the avatar consists of:
    of two that are made at the same time, or of one whose gateway died, no file is another's.
    """

    def __init__(self, store: MediaStore, video: VideoStage) -> None:
        self._store = store
        self._video = video

    async def check_room(self, owner: str) -> None:
        """Raises TooManyAvatars where 32 are kept already."""
        if len(await self.all(owner)) >= MOST_AVATARS:
            raise TooManyAvatars

    async def add(
        self, owner: str, name: str, photo: bytes, media_type: str, call: Call
    ) -> AsyncGenerator[Waiting | BuildStep | Avatar, None]:
        """Makes an avatar of a photo or a short silent clip and keeps it: the last that comes.

        Closing the generator ends the work, and nothing is kept.

        Raises:
            Failure: invalid-request, with a sentence on what is wrong with it; or the stage's own.
            AvatarExists: of the same id.
        """
        async with aclosing(self._video.builds.built(photo, name, media_type, call)) as events:
            async for event in events:
                match event:
                    case BuildStarted():
                        await self._check_new(owner, event.avatar_id, call)
                    case BuiltAvatar():
                        yield await self._kept(owner, event)
                    case _:
                        yield event

    async def _check_new(self, owner: str, avatar_id: str, call: Call) -> None:
        shipped = {avatar.id for avatar in await self._video.avatars(call)}
        if avatar_id in shipped or await self.find(owner, avatar_id) is not None:
            raise AvatarExists(avatar_id)

    async def _kept(self, owner: str, built: BuiltAvatar) -> Avatar:
        avatar = built.avatar
        folder, files = f"{owner}/{avatar.id}", _files(owner, avatar)
        await self._store.write(files, _BUNDLE, built.bundle)
        with zipfile.ZipFile(io.BytesIO(built.bundle)) as archive:
            for name_of_file, _ in _FILES.values():
                await self._store.write(files, name_of_file, archive.read(name_of_file))
        # Last: what has a record is complete.
        if not await self._store.write(folder, _RECORD, _AVATAR.dump_json(avatar)):
            raise AvatarExists(avatar.id)
        for other in await self._store.folders(folder):
            if other != avatar.hash:
                await self._store.remove(f"{folder}/{other}")
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
        return ChosenAvatar(avatar.id, avatar.hash, partial(self._bundle, owner, avatar))

    async def file(self, owner: str, avatar: Avatar, file: AvatarFile) -> tuple[str, bytes]:
        """Media type and bytes. Raises MediaMissing."""
        name, media_type = _FILES[file]
        return media_type, await self._store.read(_files(owner, avatar), name)

    async def remove(self, owner: str, avatar_id: str) -> None:
        """Removes theirs of that id with all its files."""
        await self._store.remove(f"{owner}/{avatar_id}")

    async def _bundle(self, owner: str, avatar: Avatar) -> bytes:
        try:
            return await self._store.read(_files(owner, avatar), _BUNDLE)
        except MediaMissing:
            raise Failure(
                FailureType.UNKNOWN_AVATAR, f"The avatar {avatar.id!r} was deleted.", stage="video"
            ) from None


def _files(owner: str, avatar: Avatar) -> str:
    return f"{owner}/{avatar.id}/{avatar.hash}"
