"""An utterance in, Google Cloud Text-to-Speech's recording with the times of its words out."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

import grpc
from google.api_core import exceptions
from google.api_core.client_options import ClientOptions
from google.api_core.retry import AsyncRetry, if_exception_type
from google.auth.exceptions import DefaultCredentialsError

# The version that tells when each SSML mark is passed.
from google.cloud import texttospeech_v1beta1 as google_tts
from google.cloud.texttospeech_v1beta1.services.text_to_speech.transports import (
    TextToSpeechGrpcAsyncIOTransport,
)
from visavis.rpc.failures import Failure, FailureType

from services.tts.google_refusals import google_refusals
from services.tts.mastering import SAMPLE_RATE_HZ
from services.tts.providers import Recording, Timing, Utterance
from services.tts.voices import Voice
from services.tts.wav import pcm_samples, wav_samples

_DEFAULT_VOICES = ("en-US-Wavenet-F", "cmn-CN-Wavenet-D")
# The list changes a few times a year.
_VOICES_SECONDS = 3_600.0
# These families refuse SSML marks, these a pitch; only Chirp 3 HD sends its speech while it is made.
# https://cloud.google.com/text-to-speech/docs/list-voices-and-types and …/create-audio-text-streaming
_WITHOUT_MARKS = ("Chirp", "Journey", "Studio")
_WITHOUT_PITCH = ("Chirp", "Journey")
_STREAMING = ("Chirp3-HD",)
# A mark inside a Chinese word would break it, and there are no spaces to tell where words end.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
# Eleven minutes at our rate: far beyond any utterance.
_MOST_BYTES = 32 * 1024 * 1024
_GENDERS = {
    google_tts.SsmlVoiceGender.FEMALE: "female",
    google_tts.SsmlVoiceGender.MALE: "male",
}


@dataclass(frozen=True, slots=True)
class GoogleOptions:
    """`endpoint`: host:port, or http://host:port for a server without TLS and credentials; None is Google."""

    endpoint: str | None
    timeout_seconds: float


class GoogleProvider:
    """Speaks through the vendor's own client library; credentials come from the standard environment."""

    name = "google"
    embedded = False

    def __init__(self, options: GoogleOptions) -> None:
        self._options = options
        self._client: google_tts.TextToSpeechAsyncClient | None = None
        self._voices: Sequence[Voice] = ()
        self._voices_until = 0.0
        self._listing = asyncio.Lock()
        self._retry = AsyncRetry(
            predicate=if_exception_type(exceptions.ServiceUnavailable),
            initial=0.2,
            maximum=2.0,
            timeout=options.timeout_seconds,
        )

    async def prepare(self) -> None:
        """Reads the credentials; nothing is sent. Ends the process with a sentence where there are none."""
        try:
            self._client = _client(self._options.endpoint)
        except (DefaultCredentialsError, OSError, ValueError) as error:
            raise SystemExit(
                "Google's credentials cannot be read: let GOOGLE_APPLICATION_CREDENTIALS name a service "
                f"account's JSON file, or set TTS_PROVIDER=embedded. ({type(error).__name__})"
            ) from None

    async def voices(self) -> Sequence[Voice]:
        """The account's voices, asked for once an hour."""
        async with self._listing:
            if time.monotonic() >= self._voices_until:
                with google_refusals():
                    response = await self._ready_client().list_voices(
                        retry=self._retry, timeout=self._options.timeout_seconds
                    )
                self._voices = [_voice(voice) for voice in response.voices]
                self._voices_until = time.monotonic() + _VOICES_SECONDS
        return self._voices

    async def recording(self, utterance: Utterance) -> Recording:
        """The utterance as Google speaks it; cancelling closes the call."""
        if utterance.pitch_semitones and _is_of(utterance.voice, _WITHOUT_PITCH):
            raise Failure(
                FailureType.UNSUPPORTED_SETTING,
                f"The voice {utterance.voice.name} has no pitch_semitones: leave the setting out.",
            )
        speak = self._streamed if _is_of(utterance.voice, _STREAMING) else self._whole
        with google_refusals():
            return await speak(utterance)

    async def _whole(self, utterance: Utterance) -> Recording:
        words = utterance.text.split()
        marked = not _is_of(utterance.voice, _WITHOUT_MARKS) and not _UNSPACED.search(utterance.text)
        request = google_tts.SynthesizeSpeechRequest(
            input=google_tts.SynthesisInput(ssml=_with_marks(words))
            if marked
            else google_tts.SynthesisInput(text=utterance.text),
            voice=_selection(utterance.voice),
            audio_config=google_tts.AudioConfig(
                audio_encoding=google_tts.AudioEncoding.LINEAR16,
                sample_rate_hertz=SAMPLE_RATE_HZ,
                speaking_rate=utterance.speaking_rate,
                pitch=utterance.pitch_semitones,
            ),
            enable_time_pointing=[google_tts.SynthesizeSpeechRequest.TimepointType.SSML_MARK]
            if marked
            else [],
        )
        response = await self._ready_client().synthesize_speech(
            request, retry=self._retry, timeout=self._options.timeout_seconds
        )
        waveform, rate_hz = wav_samples(response.audio_content)
        return Recording(waveform, rate_hz, _timings(words, response.timepoints, waveform.size / rate_hz))

    async def _streamed(self, utterance: Utterance) -> Recording:
        # The library tries a stream again only until its first message; nothing is passed on before the end.
        pcm = await self._retry(self._stream)(utterance)
        return Recording(pcm_samples(pcm), SAMPLE_RATE_HZ)

    async def _stream(self, utterance: Utterance) -> bytes:
        pcm = bytearray()
        responses = await self._opened_stream(utterance)
        try:
            async for response in responses:
                pcm += response.audio_content
                if len(pcm) > _MOST_BYTES:
                    raise ValueError("the speech does not end")
        finally:
            # A reader that is cancelled between two reads leaves the call open.
            responses.cancel()
        return bytes(pcm)

    async def _opened_stream(self, utterance: Utterance) -> Any:
        opening = asyncio.ensure_future(
            self._ready_client().streaming_synthesize(
                _stream_requests(utterance), retry=None, timeout=self._options.timeout_seconds
            )
        )
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            # The library gives no hold on a call before it is open: it is ended then.
            opening.add_done_callback(_end)
            raise

    async def close(self) -> None:
        """Closes the channel."""
        if self._client is not None:
            await self._client.transport.close()  # type: ignore[no-untyped-call]

    def _ready_client(self) -> google_tts.TextToSpeechAsyncClient:
        assert self._client is not None, "prepare() comes first"
        return self._client


def _client(endpoint: str | None) -> google_tts.TextToSpeechAsyncClient:
    if endpoint is not None and endpoint.startswith("http://"):
        transport = TextToSpeechGrpcAsyncIOTransport(
            channel=grpc.aio.insecure_channel(endpoint.removeprefix("http://"))
        )
        return google_tts.TextToSpeechAsyncClient(transport=transport)
    return google_tts.TextToSpeechAsyncClient(client_options=ClientOptions(api_endpoint=endpoint))


def _end(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().cancel()


def _voice(voice: google_tts.Voice) -> Voice:
    return Voice(
        name=voice.name,
        title=voice.name,
        languages=tuple(voice.language_codes),
        gender=_GENDERS.get(voice.ssml_gender, "neutral"),
        default=voice.name in _DEFAULT_VOICES,
    )


def _is_of(voice: Voice, families: Sequence[str]) -> bool:
    return any(family in voice.name for family in families)


def _selection(voice: Voice) -> google_tts.VoiceSelectionParams:
    return google_tts.VoiceSelectionParams(name=voice.name, language_code=voice.languages[0])


async def _stream_requests(utterance: Utterance) -> AsyncIterator[google_tts.StreamingSynthesizeRequest]:
    yield google_tts.StreamingSynthesizeRequest(
        streaming_config=google_tts.StreamingSynthesizeConfig(
            voice=_selection(utterance.voice),
            streaming_audio_config=google_tts.StreamingAudioConfig(
                audio_encoding=google_tts.AudioEncoding.PCM,
                sample_rate_hertz=SAMPLE_RATE_HZ,
                speaking_rate=utterance.speaking_rate,
            ),
        )
    )
    yield google_tts.StreamingSynthesizeRequest(input=google_tts.StreamingSynthesisInput(text=utterance.text))


def _with_marks(words: Sequence[str]) -> str:
    marked = " ".join(f'<mark name="{number}"/>{escape(word)}' for number, word in enumerate(words))
    return f"<speak>{marked}</speak>"


def _timings(
    words: Sequence[str], timepoints: Sequence[google_tts.Timepoint], duration_seconds: float
) -> list[Timing]:
    """Each word reaches to the next; empty unless every word's mark came back, in order."""
    starts = [point.time_seconds for point in timepoints]
    if [point.mark_name for point in timepoints] != [str(n) for n in range(len(words))] or starts != sorted(
        starts
    ):
        return []
    ends = [*starts[1:], duration_seconds]
    return [Timing(word, start, end) for word, start, end in zip(words, starts, ends, strict=True)]
