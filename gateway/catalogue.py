"""What the stages can do goes in, asked for now and then; lists of models, voices and avatars come out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Generic, TypeVar

from visavis.rpc.failures import Failure, FailureType

from gateway.stages.call import Call
from gateway.stages.faces import Avatar, AvatarFile, Network
from gateway.stages.speech import SpeechStage, Voice
from gateway.stages.text import Model, TextStage
from gateway.stages.tickets import Tickets
from gateway.stages.video import VideoStage
from gateway.tracing import current_traceparent

_FRESH_SECONDS = 30.0
# A stage that hangs must not hold up every request that asks for its list.
_LISTING_SECONDS = 1.5
_AGAIN_SECONDS = 1.0
_ASKING_SECONDS = 3.0
_FILES: tuple[AvatarFile, ...] = ("poster", "idle")

Item = TypeVar("Item")


class _Kept(Generic[Item]):
    """One list, asked for at most every 30 s, 1 s after a failure; an old one is better than none."""

    def __init__(self, ask: Callable[[Call], Awaitable[list[Item]]]) -> None:
        self._ask = ask
        self._items: list[Item] | None = None
        self._failure: Failure | None = None
        self._ask_again_at = 0.0
        self._asking = asyncio.Lock()

    async def items(self) -> list[Item]:
        """The list. Raises Failure where it was never had."""
        async with self._asking:
            now = asyncio.get_running_loop().time
            if now() >= self._ask_again_at:
                try:
                    self._items = await self._ask(Call.within(_LISTING_SECONDS, current_traceparent()))
                    self._ask_again_at = now() + _FRESH_SECONDS
                except Failure as failure:
                    self._failure = failure
                    self._ask_again_at = now() + _AGAIN_SECONDS
            if self._items is not None:
                return self._items
            unknown = self._failure or Failure(FailureType.STAGE_UNAVAILABLE, "There is no list yet.")
            # Raised again and again, it would else remember every place it passed.
            raise unknown.with_traceback(None)


class Catalogue:
    """The models, voices, avatars and networks that can be asked for.

    `tickets`: given where the video stage may sleep. It is woken then by the first who asks for a face, and
    what is shown of its faces is kept for as long as it sleeps again.
    """

    def __init__(
        self,
        text: TextStage,
        speech: SpeechStage,
        video: VideoStage,
        tickets: Tickets | None = None,
        patience_seconds: float = 0.0,
    ) -> None:
        self._video = video
        self._tickets = tickets
        self._patience_seconds = patience_seconds
        self._waking: asyncio.Task[None] | None = None
        self._models = _Kept(text.models)
        self._voices = _Kept(speech.voices)
        self._avatars = _Kept(video.avatars)
        self._networks = _Kept(video.networks)
        self._files: dict[tuple[str, str, AvatarFile], tuple[str, bytes]] = {}

    async def models(self) -> list[Model]:
        """Raises Failure."""
        return await self._models.items()

    async def voices(self) -> list[Voice]:
        """Raises Failure."""
        return await self._voices.items()

    async def avatars(self) -> list[Avatar]:
        """Raises Failure."""
        try:
            return await self._avatars.items()
        except Failure:
            self._wake()
            raise

    async def networks(self) -> list[Network]:
        """Raises Failure."""
        return await self._networks.items()

    async def avatar(self, avatar_id: str) -> Avatar:
        """The avatar of that id, or the default one where it is empty. Raises Failure."""
        for avatar in await self.avatars():
            if avatar.id == avatar_id or (not avatar_id and avatar.default):
                return avatar
        raise Failure(
            FailureType.UNKNOWN_AVATAR, f"There is no avatar {avatar_id!r}. GET /v1/avatars lists them."
        )

    async def avatar_file(self, avatar: Avatar, file: AvatarFile) -> tuple[str, bytes]:
        """Media type and bytes, kept as long as the avatar's content is the same. Raises Failure."""
        key = (avatar.id, avatar.hash, file)
        if key not in self._files:
            call = Call.within(_ASKING_SECONDS, current_traceparent())
            self._files[key] = await self._video.avatar_file(avatar.id, file, call)
            for old in [k for k in self._files if k[0] == avatar.id and k[1] != avatar.hash]:
                del self._files[old]
        return self._files[key]

    async def close(self) -> None:
        """Wakes nobody any more."""
        if self._waking is not None:
            self._waking.cancel()
            await asyncio.wait({self._waking})

    def _wake(self) -> None:
        if self._tickets is not None and (self._waking is None or self._waking.done()):
            self._waking = asyncio.create_task(self._woken(self._tickets))

    async def _woken(self, tickets: Tickets) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._patience_seconds), tickets.held("catalogue"):
                while True:
                    if await self._seen_whole():
                        return
                    await asyncio.sleep(_AGAIN_SECONDS)

    async def _seen_whole(self) -> bool:
        try:
            for avatar in await self._avatars.items():
                for file in _FILES:
                    await self.avatar_file(avatar, file)
            await self._networks.items()
        except Failure:
            return False
        return True
