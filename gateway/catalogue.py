"""What the stages can do goes in, kept for a while; requests are checked against it before work starts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from visavis.rpc.failures import Failure, FailureType

from gateway.requests import ReplyRequest
from gateway.stages.call import Call
from gateway.stages.speech import SpeechStage, Voice
from gateway.stages.text import Model, TextStage
from gateway.stages.video import Avatar, AvatarFile, VideoStage
from gateway.tracing import current_traceparent

_FRESH_SECONDS = 30.0
# A stage that hangs must not hold up every request that asks for its list.
_LISTING_SECONDS = 1.5
_AGAIN_SECONDS = 1.0
_ASKING_SECONDS = 3.0
# A token is at least a byte, so a shorter conversation fits every model.
_ALWAYS_FITS_BYTES = 1_000
_FITTING_MESSAGES = 20

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
    """The models, voices and avatars that can be asked for."""

    def __init__(self, text: TextStage, speech: SpeechStage, video: VideoStage) -> None:
        self._text = text
        self._video = video
        self._models = _Kept(text.models)
        self._voices = _Kept(speech.voices)
        self._avatars = _Kept(video.avatars)
        self._files: dict[tuple[str, str, AvatarFile], tuple[str, bytes]] = {}

    async def models(self) -> list[Model]:
        """Raises Failure."""
        return await self._models.items()

    async def voices(self) -> list[Voice]:
        """Raises Failure."""
        return await self._voices.items()

    async def avatars(self) -> list[Avatar]:
        """Raises Failure."""
        return await self._avatars.items()

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

    async def checked_avatar_id(self, request: ReplyRequest, *, caller_key: bool, uploaded: bool) -> str:
        """The id of the avatar that will speak.

        Raises Failure where the request names what no stage has. A stage that cannot be asked now (it may be
        starting) is not held against the request: it will say so itself when its turn comes.
        """
        if request.model and not caller_key:
            await _named(self.models, _model_check(request.model))
        chosen = request.voice or request.language != "auto"
        if chosen and request.wants_speech and not uploaded:
            await _named(self.voices, _voice_check(request))
        if request.messages is not None:
            await self._check_context(request)
        if not request.wants_video:
            return request.avatar
        try:
            return (await self.avatar(request.avatar)).id
        except Failure as failure:
            if failure.type is FailureType.UNKNOWN_AVATAR and request.avatar:
                raise
            return request.avatar

    async def _check_context(self, request: ReplyRequest) -> None:
        messages = [(message.role, message.content) for message in request.messages or ()]
        size = sum(len(content.encode()) for _, content in messages)
        if size < _ALWAYS_FITS_BYTES and len(messages) < _FITTING_MESSAGES:
            return
        call = Call.within(_ASKING_SECONDS, current_traceparent())
        try:
            prompt, context = await self._text.token_counts(messages, request.model, call)
        except Failure:
            return
        if context and prompt >= context:
            raise Failure(
                FailureType.CONTEXT_LENGTH_EXCEEDED,
                f"The conversation has {prompt:,} tokens; the model can read {context:,}, its answer "
                "included. Leave out older messages.",
                stage="text",
            )


async def _named(
    listed: Callable[[], Awaitable[Sequence[Item]]], check: Callable[[Sequence[Item]], None]
) -> None:
    try:
        items = await listed()
    except Failure:
        return
    check(items)


def _model_check(name: str) -> Callable[[Sequence[Model]], None]:
    def check(models: Sequence[Model]) -> None:
        if name not in {model.id for model in models}:
            raise Failure(
                FailureType.UNKNOWN_MODEL, f"There is no model {name!r}. GET /v1/models lists them."
            )

    return check


def _voice_check(request: ReplyRequest) -> Callable[[Sequence[Voice]], None]:
    def check(voices: Sequence[Voice]) -> None:
        named = [voice for voice in voices if request.voice in ("", voice.name)]
        if not named:
            raise Failure(
                FailureType.UNKNOWN_VOICE,
                f"There is no voice {request.voice!r}. GET /v1/voices lists them.",
            )
        if request.language == "auto":
            return
        spoken = {_primary(language) for voice in named for language in voice.languages}
        if _primary(request.language) not in spoken:
            whom = f"the voice {request.voice!r}" if request.voice else "any voice here"
            raise Failure(
                FailureType.UNSUPPORTED_LANGUAGE,
                f"The language {request.language!r} is not spoken by {whom}. "
                "GET /v1/voices lists who speaks what.",
            )

    return check


def _primary(language: str) -> str:
    primary = language.split("-", 1)[0].lower()
    # Google and espeak-ng list Mandarin under its own code.
    return "zh" if primary == "cmn" else primary
