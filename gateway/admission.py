"""A request and the catalogue go in; what can be known before work starts comes out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from visavis.rpc.failures import Failure, FailureType

from gateway.catalogue import Catalogue
from gateway.requests import ReplyRequest
from gateway.stages.call import Call
from gateway.stages.text import TextStage
from gateway.tracing import current_traceparent

# A token is at least a byte, so a shorter conversation fits every model.
_ALWAYS_FITS_BYTES = 1_000
_ALWAYS_FIT_MESSAGES = 20
_COUNTING_SECONDS = 3.0

Items = TypeVar("Items")


class Admission:
    """Checks requests against what the stages have.

    A stage that cannot be asked now (it may be starting) is not held against a request: it will speak
    for itself when its turn comes.
    """

    def __init__(self, catalogue: Catalogue, text: TextStage) -> None:
        self._catalogue = catalogue
        self._text = text

    async def check(self, request: ReplyRequest, *, own_key: bool) -> None:
        """Raises Failure where the request names what no stage has, or is longer than its model reads.

        Args:
            request: what was asked for.
            own_key: the caller brings a key, and with it models that are not listed here.
        """
        if request.messages is not None:
            if request.model and not own_key:
                await self._check_model(request.model)
            await self._check_context(request)
        if request.wants_speech and (request.voice or request.language != "auto"):
            await self._check_voice(request)

    async def check_network(self, request: ReplyRequest) -> None:
        """Raises Failure where the video stage has no such network."""
        networks = None
        if request.wants_video and request.network:
            networks = await _if_known(self._catalogue.networks)
        if networks is not None and request.network not in {network.name for network in networks}:
            raise Failure(
                FailureType.UNKNOWN_NETWORK,
                f"There is no network {request.network!r}. GET /v1/networks lists them.",
            )

    async def avatar_id(self, request: ReplyRequest) -> str:
        """The avatar that will speak; empty where only the video stage can say which. Raises Failure."""
        if not request.wants_video or await _if_known(self._catalogue.avatars) is None:
            return request.avatar
        return (await self._catalogue.avatar(request.avatar)).id

    async def model(self, request: ReplyRequest) -> str:
        """The model that will answer; empty where only the text stage can say which."""
        if request.messages is None or request.model:
            return request.model
        models = await _if_known(self._catalogue.models)
        return next((model.id for model in models or () if model.default), "")

    async def text_provider(self, request: ReplyRequest) -> str:
        """Whose model answers; empty where none is asked, or the text stage cannot be."""
        models = None if request.messages is None else await _if_known(self._catalogue.models)
        return models[0].provider if models else ""

    async def speech_provider(self, request: ReplyRequest) -> str:
        """Whose voices speak; empty where none is asked, or the speech stage cannot be."""
        voices = await _if_known(self._catalogue.voices) if request.wants_speech else None
        return voices[0].provider if voices else ""

    async def _check_model(self, name: str) -> None:
        models = await _if_known(self._catalogue.models)
        if models is not None and name not in {model.id for model in models}:
            raise Failure(
                FailureType.UNKNOWN_MODEL, f"There is no model {name!r}. GET /v1/models lists them."
            )

    async def _check_voice(self, request: ReplyRequest) -> None:
        voices = await _if_known(self._catalogue.voices)
        if voices is None:
            return
        named = [voice for voice in voices if request.voice in ("", voice.name)]
        if not named:
            raise Failure(
                FailureType.UNKNOWN_VOICE,
                f"There is no voice {request.voice!r}. GET /v1/voices lists them.",
            )
        spoken = {_primary(language) for voice in named for language in voice.languages}
        if request.language != "auto" and _primary(request.language) not in spoken:
            whom = f"the voice {request.voice!r}" if request.voice else "any voice here"
            raise Failure(
                FailureType.UNSUPPORTED_LANGUAGE,
                f"The language {request.language!r} is not spoken by {whom}. "
                "GET /v1/voices lists who speaks what.",
            )

    async def _check_context(self, request: ReplyRequest) -> None:
        messages = [(message.role, message.content) for message in request.messages or ()]
        size = sum(len(content.encode()) for _, content in messages)
        if size < _ALWAYS_FITS_BYTES and len(messages) < _ALWAYS_FIT_MESSAGES:
            return
        call = Call.within(_COUNTING_SECONDS, current_traceparent())
        counts = await _if_known(lambda: self._text.token_counts(messages, request.model, call))
        if counts is None:
            return
        prompt_tokens, context_tokens = counts
        if context_tokens and prompt_tokens >= context_tokens:
            raise Failure(
                FailureType.CONTEXT_LENGTH_EXCEEDED,
                f"The conversation has {prompt_tokens:,} tokens; the model can read {context_tokens:,}, "
                "its answer included. Leave out older messages.",
                stage="text",
            )


async def _if_known(ask: Callable[[], Awaitable[Items]]) -> Items | None:
    try:
        return await ask()
    except Failure:
        return None


def _primary(language: str) -> str:
    primary = language.split("-", 1)[0].lower()
    # Google and espeak-ng list Mandarin under its own code.
    return "zh" if primary == "cmn" else primary
