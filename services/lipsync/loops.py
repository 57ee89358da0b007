"""An avatar's loop.mp4 goes in, its frames come out decoded; those of the loops used last stay in memory."""

from __future__ import annotations

import io
import threading
from collections import OrderedDict
from collections.abc import Iterator

import av
import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.fragments import Size
from services.lipsync.manifests import ModelError

# (count, height * 3 / 2, width) I420.
Frames = NDArray[np.uint8]


class LoopCache:
    """Keeps as many decoded loops as fit, but always the one used last. Safe to share between threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._kept: OrderedDict[Loop, Frames] = OrderedDict()
        self._lock = threading.Lock()

    def frames(self, loop: Loop, cancellation: Cancellation) -> Frames:
        """See `Loop.frames`."""
        with self._lock:
            kept = self._kept.get(loop)
            if kept is not None:
                self._kept.move_to_end(loop)
                return kept
            # Room is made first: a loop that gives way and the one that comes are never there together.
            self._shrink_to(self._most_bytes - loop.decoded_bytes, at_least=0)
        decoded = loop.decoded(cancellation)
        with self._lock:
            self._kept[loop] = decoded
            self._shrink_to(self._most_bytes, at_least=1)
        return decoded

    @property
    def held_bytes(self) -> int:
        """Of all that is kept."""
        return sum(frames.nbytes for frames in self._kept.values())

    def _shrink_to(self, most_bytes: int, *, at_least: int) -> None:
        while len(self._kept) > at_least and self.held_bytes > most_bytes:
            self._kept.popitem(last=False)


class Loop:
    """A loop in its encoded form, a hundredth of the decoded one."""

    def __init__(self, data: bytes, size: Size, count: int, where: str, cache: LoopCache) -> None:
        """`where` names the file in errors."""
        self._data = data
        self._size = size
        self._count = count
        self._where = where
        self._cache = cache

    def frames(self, cancellation: Cancellation) -> Frames:
        """All frames; decoding takes 0.1 s of CPU time for 8 s of 512x512, where they are not kept.

        Raises:
            ModelError: the file is not what the manifest says.
            Cancelled: `cancellation` was set.
        """
        return self._cache.frames(self, cancellation)

    @property
    def decoded_bytes(self) -> int:
        """How much room its frames take."""
        return self._size.width_px * self._size.height_px * 3 // 2 * self._count

    def check(self) -> None:
        """Decodes all frames and keeps none. Raises ModelError as `frames` does."""
        for _ in self._pictures():
            pass

    def decoded(self, cancellation: Cancellation) -> Frames:
        """All frames, decoded anew. Raises as `frames` does."""
        width, height = self._size.width_px, self._size.height_px
        frames = np.empty((self._count, height * 3 // 2, width), np.uint8)
        for number, picture in enumerate(self._pictures()):
            cancellation.check()
            frames[number] = picture.to_ndarray()
        return frames

    def _pictures(self) -> Iterator[av.VideoFrame]:
        """Exactly as many, and such, as were promised."""
        width, height = self._size.width_px, self._size.height_px
        count = 0
        try:
            with av.open(io.BytesIO(self._data), "r") as container:
                container.streams.video[0].thread_count = 1
                for picture in container.decode(video=0):
                    count += 1
                    found = (picture.width, picture.height, picture.format.name)
                    if found != (width, height, "yuv420p") or count > self._count:
                        count = -1
                        break
                    yield picture
        except (av.FFmpegError, IndexError):
            raise ModelError(f"{self._where} cannot be decoded. Export it again.") from None
        if count != self._count:
            raise ModelError(
                f"{self._where} must hold exactly {self._count} yuv420p frames of {width}x{height}. "
                "Export it again."
            )
