"""An utterance in, the recording that OpenAI, or a server with the same speech endpoint, makes of it out."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

import httpx2
import openai
from visavis.rpc.failures import Failure, FailureType

from services.tts.providers import Recording, Utterance
from services.tts.voices import Voice
from services.tts.wav import is_wav, pcm_samples, wav_samples

# The library insists on a key; compatible servers without keys ignore it.
_NO_KEY = "none"
# Named, or the library would take OPENAI_BASE_URL, which is the text service's.
_OPENAI_URL = "https://api.openai.com/v1"
# https://platform.openai.com/docs/guides/text-to-speech: "pcm" has no header and this rate.
_PCM_RATE_HZ = 24_000
# Eleven minutes at that rate: far beyond any utterance.
_MOST_BYTES = 32 * 1024 * 1024
# What may be PCM or WAV; another format would be heard as noise.
_SOUND_TYPES = (
    *("audio/pcm", "audio/l16", "audio/wav", "audio/x-wav", "audio/wave", "audio/vnd.wave"),
    *("application/octet-stream", "binary/octet-stream", ""),
)


@dataclass(frozen=True, slots=True)
class OpenAiOptions:
    """How to reach the server, and how it speaks. `base_url` None is OpenAI itself."""

    api_key: str | None = field(repr=False)
    base_url: str | None
    model: str
    voices: Sequence[Voice]
    sound_format: Literal["pcm", "wav"]
    connect_seconds: float
    stall_seconds: float
    timeout_seconds: float
    retries: int


class OpenAiProvider:
    """Speaks through the `openai` library, with its retries and connection pool."""

    name = "openai"
    embedded = False

    def __init__(self, options: OpenAiOptions) -> None:
        self._options = options
        self._client = openai.AsyncOpenAI(
            api_key=options.api_key or _NO_KEY,
            base_url=options.base_url or _OPENAI_URL,
            max_retries=options.retries,
            timeout=openai.Timeout(options.stall_seconds, connect=options.connect_seconds),
        )

    async def prepare(self) -> None:
        """Nothing is asked of the network before the first utterance."""

    async def voices(self) -> Sequence[Voice]:
        """The configured ones: the API has no list."""
        return self._options.voices

    async def recording(self, utterance: Utterance) -> Recording:
        """The utterance as the server speaks it, read as it is made; cancelling closes the connection."""
        if utterance.pitch_semitones:
            raise Failure(
                FailureType.UNSUPPORTED_SETTING, "This voice has no pitch_semitones: leave the setting out."
            )
        with _failing():
            async with asyncio.timeout(self._options.timeout_seconds):
                sound = await self._sound(utterance)
        try:
            waveform, rate_hz = wav_samples(sound) if is_wav(sound) else (pcm_samples(sound), _PCM_RATE_HZ)
        except ValueError as error:
            raise _unreadable() from error
        return Recording(waveform, rate_hz)

    async def close(self) -> None:
        """Closes the connection pool."""
        await self._client.close()

    async def _sound(self, utterance: Utterance) -> bytes:
        sound = bytearray()
        async with self._client.audio.speech.with_streaming_response.create(
            input=utterance.text,
            model=self._options.model,
            voice=utterance.voice.name,
            response_format=self._options.sound_format,
            speed=utterance.speaking_rate,
        ) as response:
            if response.headers.get("content-type", "").partition(";")[0].strip().lower() not in _SOUND_TYPES:
                raise _unreadable()
            async for piece in response.iter_bytes():
                sound += piece
                if len(sound) > _MOST_BYTES:
                    raise _unavailable("The speech server does not stop speaking.")
        return bytes(sound)


@contextmanager
def _failing() -> Iterator[None]:
    """What the library raises leaves as a `Failure`. Upstream's own words may quote the caller: they stay."""
    try:
        yield
    except openai.APIStatusError as error:
        raise _refusal(error) from error
    except (openai.APIConnectionError, httpx2.HTTPError, TimeoutError) as error:
        # In the middle of an answer the library lets its transport's errors through.
        raise _unavailable("The speech server cannot be reached, or fell silent. Try again.") from error
    except openai.OpenAIError as error:
        raise _unreadable() from error


def _refusal(error: openai.APIStatusError) -> Failure:
    """OpenAI's error codes: https://platform.openai.com/docs/guides/error-codes."""
    status = error.status_code
    if status in (401, 403) or (status == 429 and error.code == "insufficient_quota"):
        # The house's rule: a bad site key looks like a spent quota to callers.
        return Failure(
            FailureType.SITE_QUOTA_EXHAUSTED, "This site's speech provider takes no more requests for now."
        )
    if status == 429:
        return Failure(
            FailureType.RATE_LIMITED,
            "The speech provider is asked too often.",
            retry_after_seconds=_retry_after_seconds(error),
        )
    if status in (400, 413, 422):
        return Failure(
            FailureType.INVALID_REQUEST, "The speech provider cannot speak this text with this voice."
        )
    return _unavailable("The speech provider fails at the moment.")


def _retry_after_seconds(error: openai.APIStatusError) -> float:
    try:
        return max(0.0, float(error.response.headers.get("retry-after", "")))
    except ValueError:
        return 5.0


def _unreadable() -> Failure:
    return _unavailable("The speech provider sent something unreadable.")


def _unavailable(detail: str) -> Failure:
    return Failure(FailureType.UPSTREAM_UNAVAILABLE, detail, retry_after_seconds=5)
