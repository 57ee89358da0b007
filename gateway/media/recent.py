"""Media files go through to a bucket; those written or read last come out of memory at once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing

from gateway.media.store import PIECE_BYTES, MediaStore

RECENT_BYTES = 64 << 20
# Larger files are read in pieces anyway.
_LARGEST_SHARE = 8
# What an entry takes beside its data, generously.
_ENTRY_BYTES = 1_024


class RecentMedia:
    """A store with at most `max_bytes` of its newest files at hand.

    Clients fetch a fragment as soon as they hear of it, and a reply's movie is made of all of them: a bucket
    that takes 50 ms for each would be felt. Files never change, and whoever asks knows from the reply's log
    whether it is still kept, so what is at hand is right.
    """

    def __init__(self, store: MediaStore, max_bytes: int = RECENT_BYTES) -> None:
        self._store = store
        self._max_bytes = max_bytes
        self._held_bytes = 0
        self._held: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    async def write(self, reply_id: str, name: str, data: bytes) -> bool:
        """Stores a file; False where it already exists: the first one stays."""
        created = await self._store.write(reply_id, name, data)
        if created:
            self._hold(reply_id, name, data)
        return created

    async def read(self, reply_id: str, name: str) -> bytes:
        """A whole file. Raises MediaMissing."""
        data = self._at_hand(reply_id, name)
        if data is None:
            data = await self._store.read(reply_id, name)
            self._hold(reply_id, name, data)
        return data

    async def size(self, reply_id: str, name: str) -> int:
        """Bytes. Raises MediaMissing."""
        data = self._at_hand(reply_id, name)
        return await self._store.size(reply_id, name) if data is None else len(data)

    async def pieces(self, reply_id: str, name: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """Bytes start … end-1, in pieces. Raises MediaMissing."""
        data = self._at_hand(reply_id, name)
        if data is None:
            async with aclosing(self._store.pieces(reply_id, name, start, end)) as pieces:
                async for piece in pieces:
                    yield piece
            return
        for begin in range(start, end, PIECE_BYTES):
            yield data[begin : min(begin + PIECE_BYTES, end)]

    async def remove(self, reply_id: str) -> None:
        """Removes all files of a reply."""
        for known in [known for known in self._held if known[0] == reply_id]:
            self._drop(known)
        await self._store.remove(reply_id)

    async def folders(self, inside: str) -> list[str]:
        """Names of the folders directly inside a folder."""
        return await self._store.folders(inside)

    async def remove_older(self, seconds: float) -> None:
        """Removes files written longer ago than `seconds`; what is at hand is younger than any of use."""
        await self._store.remove_older(seconds)

    def _at_hand(self, reply_id: str, name: str) -> bytes | None:
        known = (reply_id, name)
        if known in self._held:
            self._held.move_to_end(known)
        return self._held.get(known)

    def _hold(self, reply_id: str, name: str, data: bytes) -> None:
        known = (reply_id, name)
        if known in self._held or len(data) > self._max_bytes // _LARGEST_SHARE:
            return
        self._held[known] = data
        self._held_bytes += len(data) + _ENTRY_BYTES
        while self._held_bytes > self._max_bytes:
            self._drop(next(iter(self._held)))

    def _drop(self, known: tuple[str, str]) -> None:
        self._held_bytes -= len(self._held.pop(known)) + _ENTRY_BYTES
