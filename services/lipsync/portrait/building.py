"""An uploaded photo or clip goes in, progress and at last a bundle come out, while a thread works."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeAlias

import structlog
from visavis.rpc.failures import Failure, FailureType

from services.lipsync.cancellation import Cancellation
from services.lipsync.portrait.bundle_maker import BundleMaker, bundle_maker
from services.lipsync.portrait.face_models import FaceModelsMissing, face_models
from services.lipsync.portrait.packing import avatar_id
from services.lipsync.portrait.photo import UnusablePortrait
from services.lipsync.uploads import upload_window

log = structlog.get_logger()

_LONGEST_NAME = 64
# Steps that nobody has fetched yet; older ones give way.
_STEPS_KEPT = 8


@dataclass(frozen=True, slots=True)
class BuildStarted:
    """The first event: the id that the avatar will have."""

    avatar_id: str


@dataclass(frozen=True, slots=True)
class BuildStep:
    """What is being done, and the share of all that is done."""

    step: str
    fraction: float


@dataclass(frozen=True, slots=True)
class BuiltBundle:
    """The last event: a bundle's zip."""

    data: bytes


BuildEvent: TypeAlias = BuildStarted | BuildStep | BuiltBundle


class PortraitBuilder:
    """Builds one avatar at a time: further calls are refused with BUSY."""

    def __init__(self, *, upload_seconds: float, build_seconds: float) -> None:
        self._upload_seconds = upload_seconds
        self._build_seconds = build_seconds
        self._building = asyncio.Lock()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="portrait")

    async def build(
        self, chunks: AsyncIterator[bytes], name: str, media_type: str, byte_count: int
    ) -> AsyncGenerator[BuildEvent, None]:
        """Yields the start, steps, then the bundle. Closing the generator stops the work.

        Raises:
            Failure: invalid-request (with a sentence on what is wrong with the portrait), busy,
                deadline-exceeded, or unsupported-setting (the face networks are not installed).
        """
        name = name.strip()
        if not 0 < len(name) <= _LONGEST_NAME:
            raise _invalid(f"An avatar's name has 1 to {_LONGEST_NAME} characters.")
        if self._building.locked():
            raise Failure(
                FailureType.BUSY, "This worker is building another avatar.", retry_after_seconds=1.0
            )
        async with self._building:
            try:
                maker = bundle_maker(media_type, byte_count)
                upload = await self._received(chunks, byte_count)
                yield BuildStarted(avatar_id(name))
                async with aclosing(self._built(maker, upload, name)) as events:
                    async for event in events:
                        yield event
            except UnusablePortrait as refusal:
                raise _invalid(str(refusal)) from None
            except FaceModelsMissing as missing:
                raise Failure(FailureType.UNSUPPORTED_SETTING, str(missing)) from None
            except TimeoutError:
                raise Failure(
                    FailureType.DEADLINE_EXCEEDED,
                    f"The avatar was not ready within {self._build_seconds:g} s. Try again later.",
                ) from None

    def close(self) -> None:
        """Frees the thread."""
        self._thread.shutdown()

    async def _received(self, chunks: AsyncIterator[bytes], byte_count: int) -> bytes:
        data = bytearray()
        async with upload_window(self._upload_seconds):
            async for chunk in chunks:
                data += chunk
                if len(data) > byte_count:
                    break
        if len(data) != byte_count:
            raise _invalid("The portrait does not have the byte_count announced.")
        return bytes(data)

    async def _built(self, maker: BundleMaker, upload: bytes, name: str) -> AsyncGenerator[BuildEvent, None]:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._build_seconds
        cancellation = Cancellation()
        steps: asyncio.Queue[BuildStep | None] = asyncio.Queue()

        def keep(step: BuildStep | None) -> None:
            while steps.qsize() >= _STEPS_KEPT:
                steps.get_nowait()
            steps.put_nowait(step)

        def progress(step: str, fraction: float) -> None:
            cancellation.check()
            loop.call_soon_threadsafe(keep, BuildStep(step, fraction))

        work = loop.run_in_executor(self._thread, lambda: maker(upload, name, face_models(), progress))
        work.add_done_callback(lambda _: keep(None))
        try:
            while True:
                # Not around the `yield`: it would cancel whoever is still busy with the step before.
                async with asyncio.timeout_at(deadline):
                    step = await steps.get()
                if step is None:
                    break
                yield step
            data = work.result()
            log.info("portrait built", bundle_bytes=len(data))
            yield BuiltBundle(data)
        finally:
            cancellation.cancel()
            await asyncio.wait([work])
            if not work.cancelled():
                # Heard of here: nobody else asks what became of it.
                work.exception()


def _invalid(detail: str) -> Failure:
    return Failure(FailureType.INVALID_REQUEST, detail)
