"""Media files go in once, whole files and byte ranges come out; old ones are removed by age."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

import obstore
import structlog
from obstore.exceptions import AlreadyExistsError, BaseError, NotFoundError
from obstore.store import LocalStore, ObjectStore
from visavis.rpc.failures import Failure, FailureType

if TYPE_CHECKING:
    from obstore import ObjectMeta

log = structlog.get_logger()

PIECE_BYTES = 256 * 1024
# What S3 lists at once.
_PAGE = 1_000
_READ_AT_ONCE = 8
_RETRY_SECONDS = 5.0
# What lies in it does not grow old.
KEPT_FOLDER = "avatars"


class MediaMissing(LookupError):
    """There is no such file (yet, or any more)."""


class MediaStore(Protocol):
    """Files of replies. A file is written once and never replaced.

    Every method raises Failure (stage-unavailable) where the store cannot be reached.
    """

    async def write(self, reply_id: str, name: str, data: bytes) -> bool:
        """Stores a file; False where it already exists: the first one stays."""

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
        # Buckets list by name, and the ids of replies begin with their time. A folder lists as it likes.
        self._oldest_first = not isinstance(store, LocalStore)

    async def write(self, reply_id: str, name: str, data: bytes) -> bool:
        """Stores a file; False where it already exists: the first one stays."""
        try:
            with _reached():
                await obstore.put_async(self._store, f"{reply_id}/{name}", data, mode="create")
        except AlreadyExistsError:
            return False
        except (FileNotFoundError, NotFoundError) as error:
            # What it was to lie in.
            raise _out_of_reach(error) from None
        return True

    async def read(self, reply_id: str, name: str) -> bytes:
        """A whole file. Raises MediaMissing."""
        with _found(name):
            result = await obstore.get_async(self._store, f"{reply_id}/{name}")
            return bytes(await result.bytes_async())

    async def size(self, reply_id: str, name: str) -> int:
        """Bytes. Raises MediaMissing."""
        with _found(name):
            return (await obstore.head_async(self._store, f"{reply_id}/{name}"))["size"]

    async def pieces(self, reply_id: str, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Bytes start … end-1, in pieces. Raises MediaMissing."""
        path = f"{reply_id}/{name}"
        for begin in range(start, end, PIECE_BYTES):
            stop = min(begin + PIECE_BYTES, end)
            with _found(name):
                piece = bytes(await obstore.get_range_async(self._store, path, start=begin, end=stop))
            yield piece

    async def remove(self, reply_id: str) -> None:
        """Removes all files of a reply."""
        with _reached():
            async for listed in obstore.list(self._store, reply_id, chunk_size=_PAGE):
                await self._delete([meta["path"] for meta in listed])

    async def folders(self, inside: str) -> list[str]:
        """Names of the folders directly inside a folder."""
        with _reached():
            listed = await obstore.list_with_delimiter_async(self._store, inside)
        return [prefix.rsplit("/", 1)[-1] for prefix in listed["common_prefixes"]]

    async def remove_older(self, seconds: float) -> None:
        """Removes files written longer ago than `seconds`; of a bucket it lists little more than those."""
        before = datetime.now(UTC) - timedelta(seconds=seconds)
        with _reached():
            async for listed in obstore.list(self._store, chunk_size=_PAGE):
                if old := [meta["path"] for meta in listed if _outlived(meta, before)]:
                    await self._delete(old)
                elif self._oldest_first:
                    return

    async def _delete(self, paths: list[str]) -> None:
        try:
            await obstore.delete_async(self._store, paths)
        except (FileNotFoundError, NotFoundError):
            # Another replica removes them too. S3 does not mind; folders and Google stop at what is gone.
            for path in paths:
                with suppress(FileNotFoundError, NotFoundError):
                    await obstore.delete_async(self._store, path)


async def read_all(media: MediaStore, reply_id: str, names: Sequence[str]) -> list[bytes]:
    """Whole files, some at a time. Raises MediaMissing, Failure."""
    free = asyncio.Semaphore(_READ_AT_ONCE)

    async def read(name: str) -> bytes:
        async with free:
            return await media.read(reply_id, name)

    tasks = [asyncio.create_task(read(name)) for name in names]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


def reason(error: Exception) -> str:
    """What a store's error is, without its text, which may quote addresses and keys."""
    _, found, rest = str(error).partition("<Code>")
    code = rest.partition("</Code>")[0]
    return f"{type(error).__name__}: {code}" if found and code.isalnum() else type(error).__name__


@contextmanager
def _reached() -> Iterator[None]:
    try:
        yield
    except (AlreadyExistsError, FileNotFoundError, NotFoundError):
        raise
    except (BaseError, OSError) as error:
        raise _out_of_reach(error) from None


@contextmanager
def _found(name: str) -> Iterator[None]:
    try:
        with _reached():
            yield
    except (FileNotFoundError, NotFoundError):
        raise MediaMissing(name) from None


def _out_of_reach(error: Exception) -> Failure:
    log.error("media store failed", error=reason(error))
    return Failure(
        FailureType.STAGE_UNAVAILABLE,
        "Media cannot be stored or read at the moment. Try again in a few seconds.",
        retry_after_seconds=_RETRY_SECONDS,
    )


def _outlived(meta: ObjectMeta, before: datetime) -> bool:
    # What lies beside the replies' own folders is not theirs.
    in_reply = "/" in meta["path"] and not meta["path"].startswith(f"{KEPT_FOLDER}/")
    return in_reply and meta["last_modified"] < before
