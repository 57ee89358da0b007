"""The environment goes in, a served TextService comes out: here alone the parts are put together."""

from __future__ import annotations

import asyncio

import structlog
from visavis.rpc.server import Service, serve
from visavis.rpc.settings import read_settings
from visavis.v1 import text_pb2, text_pb2_grpc

from services.text.languages import load_languages
from services.text.limits import Limits
from services.text.providers import Provider
from services.text.servicer import TextServicer
from services.text.settings import ProviderChoice, TextSettings

log = structlog.get_logger()


def text_service(settings: TextSettings) -> Service:
    """The service that `settings` describe, not yet started."""
    provider = chosen_provider(settings)
    limits = Limits(messages=settings.max_messages, characters=settings.max_characters)
    servicer = TextServicer(provider, limits)

    async def prepare() -> None:
        await asyncio.gather(provider.prepare(), asyncio.to_thread(load_languages))
        log.info("provider ready", provider=provider.name, embedded=provider.embedded)

    return Service(
        full_name=text_pb2.DESCRIPTOR.services_by_name["TextService"].full_name,
        register=lambda server: text_pb2_grpc.add_TextServiceServicer_to_server(servicer, server),
        prepare=prepare,
        close=provider.close,
    )


def chosen_provider(settings: TextSettings) -> Provider:
    """The one provider that writes this process's replies.

    Only its library is imported: the other one would add half a second to every start.
    """
    if settings.chosen_provider is ProviderChoice.OPENAI:
        from services.text.openai_provider import OpenAiOptions, OpenAiProvider

        key = settings.openai_api_key
        return OpenAiProvider(
            OpenAiOptions(
                api_key=key.get_secret_value() if key else None,
                base_url=settings.openai_base_url,
                model=settings.openai_model,
                max_tokens=settings.max_tokens,
                context_tokens=settings.openai_context_tokens,
                connect_seconds=settings.openai_connect_seconds,
                stall_seconds=settings.openai_stall_seconds,
                retries=settings.openai_retries,
            )
        )
    try:
        from services.text.embedded_provider import EmbeddedOptions, EmbeddedProvider
    except ImportError as error:
        raise SystemExit(
            f"The embedded language model cannot run here: {error}. On Debian and Ubuntu, "
            "sudo apt-get install libgomp1 gives what it needs; or set OPENAI_API_KEY."
        ) from None

    return EmbeddedProvider(
        EmbeddedOptions(
            model_path=settings.model_path,
            context_tokens=settings.context_tokens,
            threads=settings.embedded_threads,
            default_tokens=settings.embedded_max_tokens,
            max_tokens=settings.max_tokens,
            waiting=settings.embedded_waiting,
        )
    )


if __name__ == "__main__":
    text_settings = read_settings(TextSettings)
    asyncio.run(serve(text_service(text_settings), text_settings))
