"""Media files go in once, whole files and byte ranges come out; old ones are removed by age."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import obstore
from obstore.exceptions import AlreadyExistsError, NotFoundError
from obstore.store import ObjectStore, from_url

if TYPE_CHECKING:
    from obstore import ObjectMeta

_PIECE_BYTES = 256 * 1024
# What lies in it does not grow old.
KEPT_FOLDER = "avatars"


class MediaMissing(LookupError):
    """There is no such file (yet, or any more)."""


class MediaStore(Protocol):
    """Files of replies. A file is written once and never replaced."""

    async def write(self, reply_id: str, name: str, data: bytes) -> None:
        """Stores a file; keeps the first one where it already exists."""

    async def read(self, reply_id: str, name: str) -> bytes:
        """A whole file. Raises MediaMissing."""

    async def size(self, reply_id: str, name: str) -> int:
        """Bytes. Raises MediaMissing."""

    def pieces(self, reply_id: str, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Bytes start … end-1, in pieces. Raises MediaMissing."""

    async def remove(self, reply_id: str) -> None:
        """Removes all files of a reply."""

    async def folders(self, inside: str) -> list[str]:
        """Names of the folders directly inside a folder."""

    async def remove_older(self, seconds: float) -> None:
        """Removes files written longer ago than `seconds`."""


class ObjectMediaStore:
    """A folder, or a bucket: whatever obstore opens."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    async def write(self, reply_id: str, name: str, data: bytes) -> None:
        """Stores a file; keeps the first one where it already exists."""
        try:
            await obstore.put_async(self._store, f"{reply_id}/{name}", data, mode="create")
        except AlreadyExistsError:
            return

    async def read(self, reply_id: str, name: str) -> bytes:
        """A whole file. Raises MediaMissing."""
        try:
            result = await obstore.get_async(self._store, f"{reply_id}/{name}")
            return bytes(await result.bytes_async())
        except (FileNotFoundError, NotFoundError):
            raise MediaMissing(name) from None

    async def size(self, reply_id: str, name: str) -> int:
        """Bytes. Raises MediaMissing."""
        try:
            return (await obstore.head_async(self._store, f"{reply_id}/{name}"))["size"]
        except (FileNotFoundError, NotFoundError):
            raise MediaMissing(name) from None

    async def pieces(self, reply_id: str, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Bytes start … end-1, in pieces. Raises MediaMissing."""
        path = f"{reply_id}/{name}"
        for begin in range(start, end, _PIECE_BYTES):
            stop = min(begin + _PIECE_BYTES, end)
            try:
                yield bytes(await obstore.get_range_async(self._store, path, start=begin, end=stop))
            except (FileNotFoundError, NotFoundError):
                raise MediaMissing(name) from None

    async def remove(self, reply_id: str) -> None:
        """Removes all files of a reply."""
        await self._remove_listed(reply_id, None)

    async def folders(self, inside: str) -> list[str]:
        """Names of the folders directly inside a folder."""
        listed = await obstore.list_with_delimiter_async(self._store, inside)
        return [prefix.rsplit("/", 1)[-1] for prefix in listed["common_prefixes"]]

    async def remove_older(self, seconds: float) -> None:
        """Removes files written longer ago than `seconds`."""
        await self._remove_listed(None, datetime.now(UTC) - timedelta(seconds=seconds))

    async def _remove_listed(self, prefix: str | None, before: datetime | None) -> None:
        async for listed in obstore.list(self._store, prefix):
            # What lies beside the replies' own folders is not theirs.
            metas = [meta for meta in listed if "/" in meta["path"]]
            paths = [meta["path"] for meta in metas if before is None or _outlived(meta, before)]
            if paths:
                await obstore.delete_async(self._store, paths)


def _outlived(meta: ObjectMeta, before: datetime) -> bool:
    return meta["last_modified"] < before and not meta["path"].startswith(f"{KEPT_FOLDER}/")


def media_store(place: str) -> ObjectMediaStore:
    """The store at a folder's path (made where missing) or at a URL such as s3://bucket/prefix."""
    if "://" in place:
        return ObjectMediaStore(from_url(place))
    folder = Path(place).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return ObjectMediaStore(from_url(folder.as_uri(), automatic_cleanup=True))
