"""The environment goes in, a served TtsService comes out: the only place where the parts are put together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from visavis.rpc.server import Service, serve
from visavis.rpc.settings import read_settings
from visavis.v1 import tts_pb2, tts_pb2_grpc

from services.tts.embedded_provider import EmbeddedProvider
from services.tts.espeak_engine import EspeakEngine
from services.tts.pico.engine import PicoEngine
from services.tts.providers import SpeechProvider
from services.tts.servicer import TtsServicer
from services.tts.settings import OpenAiVoice, ProviderChoice, TtsSettings
from services.tts.voices import Voice

log = structlog.get_logger()


def tts_service(settings: TtsSettings) -> Service:
    """The service that `settings` describe, not yet started."""
    provider = chosen_provider(settings)
    servicer = TtsServicer(provider, max_characters=settings.max_characters)

    async def prepare() -> None:
        await provider.prepare()
        log.info("provider ready", provider=provider.name, embedded=provider.embedded)

    return Service(
        full_name=tts_pb2.DESCRIPTOR.services_by_name["TtsService"].full_name,
        register=lambda server: tts_pb2_grpc.add_TtsServiceServicer_to_server(servicer, server),
        prepare=prepare,
        close=provider.close,
    )


def chosen_provider(settings: TtsSettings) -> SpeechProvider:
    """The one provider that speaks in this process.

    Only its library is imported: either of the others takes longer than all else at start-up.
    """
    if settings.chosen_provider is ProviderChoice.OPENAI:
        from services.tts.openai_provider import OpenAiOptions, OpenAiProvider

        return OpenAiProvider(
            OpenAiOptions(
                api_key=settings.openai_key,
                base_url=settings.openai_base_url,
                model=settings.openai_model,
                voices=configured_voices(settings.openai_voices),
                sound_format=settings.openai_format,
                connect_seconds=settings.openai_connect_seconds,
                stall_seconds=settings.openai_stall_seconds,
                timeout_seconds=settings.openai_seconds,
                retries=settings.openai_retries,
            )
        )
    if settings.chosen_provider is ProviderChoice.GOOGLE:
        from services.tts.google_provider import GoogleOptions, GoogleProvider

        return GoogleProvider(
            GoogleOptions(endpoint=settings.google_endpoint, timeout_seconds=settings.google_seconds)
        )
    return EmbeddedProvider((PicoEngine, EspeakEngine), concurrency=settings.embedded_concurrency)


def configured_voices(named: Sequence[OpenAiVoice]) -> Sequence[Voice]:
    """The voices as callers see them; the first of each language is its default."""
    spoken: set[str] = set()
    voices = []
    for voice in named:
        voices.append(
            Voice(
                voice.name,
                voice.name,
                voice.languages,
                voice.gender,
                default=not spoken >= {*voice.languages},
            )
        )
        spoken.update(voice.languages)
    return voices


if __name__ == "__main__":
    tts_settings = read_settings(TtsSettings)
    asyncio.run(serve(tts_service(tts_settings), tts_settings))
