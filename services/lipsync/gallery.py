"""Ids and hashes of avatars go in, loaded avatars come out: shipped ones, and those that were handed over."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from visavis.rpc.failures import Failure, FailureType

from services.lipsync.avatars import MANIFEST, Avatar, AvatarBundle, folder_bundle, load_avatar, zip_bundle
from services.lipsync.loops import LoopCache
from services.lipsync.manifests import ModelError
from services.lipsync.uploads import upload_window

Result = TypeVar("Result")
ShownFile: TypeAlias = Literal["poster", "loop"]


class Gallery:
    """Keeps the `loaded_max` avatars used last, and those of their decoded loops that fit into `loop_bytes`.

    One that was handed over, then dropped, is missing again.
    """

    def __init__(
        self,
        models_dir: Path,
        default_id: str,
        providers: Sequence[str],
        *,
        loaded_max: int,
        loop_bytes: int,
        upload_seconds: float,
        max_bundle_bytes: int,
    ) -> None:
        """Reads the manifests of models_dir/avatars; `providers` are onnxruntime's names.

        Raises:
            ModelError: the default avatar is not there, or a bundle's manifest is wrong.
        """
        paths = sorted((models_dir / "avatars").glob(f"*/{MANIFEST}"))
        self.shipped = {
            bundle.manifest.id: bundle for bundle in map(folder_bundle, (p.parent for p in paths))
        }
        if default_id not in self.shipped:
            raise ModelError(
                f"There is no avatar {default_id} in {models_dir / 'avatars'}. "
                "Set LIPSYNC_AVATAR or LIPSYNC_MODELS_DIR, or run `make train`."
            )
        self.default_id = default_id
        self._max_bundle_bytes = max_bundle_bytes
        self._providers = providers
        self._loaded_max = loaded_max
        self._upload_seconds = upload_seconds
        # One bundle at a time in memory.
        self._receiving = asyncio.Lock()
        self._loops = LoopCache(loop_bytes)
        self._loaded: OrderedDict[str, Avatar] = OrderedDict()
        self._lock = threading.Lock()
        # One at a time: loading is rare, and two at once would only double the peak of memory.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="load")

    async def avatar(self, avatar_id: str, avatar_hash: str) -> Avatar:
        """The avatar of that hash; without one the shipped avatar of that id, without either the default.

        Raises:
            Failure: avatar-missing or unknown-avatar.
        """
        bundle = None
        if not avatar_hash:
            bundle = self.bundle(avatar_id)
            avatar_hash = bundle.hash
        loaded = self._recent(avatar_hash)
        if loaded is not None:
            return loaded
        bundle = bundle or next((b for b in self.shipped.values() if b.hash == avatar_hash), None)
        if bundle is None:
            raise Failure(
                FailureType.AVATAR_MISSING,
                "This worker does not hold that avatar. Hand it over with PutAvatar.",
            )
        return await self._in_thread(partial(self._load, bundle))

    async def put(self, chunks: AsyncIterator[bytes], avatar_hash: str, byte_count: int) -> Avatar:
        """Takes over a bundle, a zip of its folder in `byte_count` bytes, and loads it.

        Raises:
            Failure: invalid-request (the bundle is too large, unusable, or not the one of that hash),
                busy, or deadline-exceeded.
        """
        if byte_count > self._max_bundle_bytes:
            raise _invalid(
                f"An avatar bundle may have {self._max_bundle_bytes} bytes, this one has {byte_count}."
            )
        if self._receiving.locked():
            raise Failure(
                FailureType.BUSY, "This worker is receiving another avatar.", retry_after_seconds=0.5
            )
        async with self._receiving:
            data = bytearray()
            async with upload_window(self._upload_seconds):
                async for chunk in chunks:
                    data += chunk
                    if len(data) > byte_count:
                        break
            if len(data) != byte_count:
                raise _invalid("The avatar bundle does not have the byte_count announced.")
            return await self._in_thread(partial(self._put, bytes(data), avatar_hash))

    async def take(self, data: bytes) -> Avatar:
        """Loads a bundle, a zip of its folder, that this worker has made itself."""
        return await self._in_thread(lambda: self._load(zip_bundle(data, self._max_bundle_bytes)))

    async def file(self, avatar_id: str, name: ShownFile) -> bytes:
        """The poster (JPEG) or the idle loop (MP4) of a shipped avatar.

        Raises:
            Failure: unknown-avatar.
        """
        bundle = self.bundle(avatar_id)
        return await self._in_thread(partial(bundle.file, getattr(bundle.manifest.files, name)))

    def bundle(self, avatar_id: str) -> AvatarBundle:
        """The shipped bundle of that id; of the default for an empty one.

        Raises:
            Failure: unknown-avatar.
        """
        bundle = self.shipped.get(avatar_id or self.default_id)
        if bundle is None:
            raise Failure(
                FailureType.UNKNOWN_AVATAR,
                f"There is no avatar of that id. This worker has {', '.join(sorted(self.shipped))}.",
            )
        return bundle

    def close(self) -> None:
        """Frees the thread and what was loaded."""
        self._thread.shutdown()
        self._loaded.clear()

    def _put(self, data: bytes, avatar_hash: str) -> Avatar:
        try:
            bundle = zip_bundle(data, self._max_bundle_bytes)
            if bundle.hash != avatar_hash:
                raise _invalid("The avatar bundle's manifest does not have the hash announced.")
            return self._load(bundle)
        except ModelError as error:
            raise _invalid(str(error)) from error

    def _load(self, bundle: AvatarBundle) -> Avatar:
        loaded = self._recent(bundle.hash)
        if loaded is None:
            # Room is made first: the one that gives way and the one that comes are never there together.
            with self._lock:
                while len(self._loaded) >= self._loaded_max:
                    self._loaded.popitem(last=False)
            loaded = load_avatar(bundle, self._providers, self._loops)
            with self._lock:
                self._loaded[bundle.hash] = loaded
        return loaded

    def _recent(self, avatar_hash: str) -> Avatar | None:
        with self._lock:
            avatar = self._loaded.get(avatar_hash)
            if avatar is not None:
                self._loaded.move_to_end(avatar_hash)
            return avatar

    async def _in_thread(self, load: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._thread, load)


def _invalid(detail: str) -> Failure:
    return Failure(FailureType.INVALID_REQUEST, detail)
