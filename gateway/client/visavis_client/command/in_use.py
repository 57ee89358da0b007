"""A gateway goes in, sentences about who writes and speaks its replies come out."""

from __future__ import annotations

from collections.abc import AsyncIterator

from visavis_client.catalogue import Provider
from visavis_client.client import AsyncClient

_BETTER = {
    "text": "set OPENAI_API_KEY for a better one",
    "speech": "set GOOGLE_APPLICATION_CREDENTIALS for better ones",
}


async def providers_in_use(client: AsyncClient) -> AsyncIterator[str]:
    """One sentence per stage that has a choice of providers. Raises VisavisError."""
    for model in await client.models():
        if model.default:
            yield _sentence("text", model.provider, model.id)
    speakers = [voice for voice in await client.voices() if voice.default]
    for provider in dict.fromkeys(voice.provider for voice in speakers):
        names = ", ".join(voice.name for voice in speakers if voice.provider == provider)
        yield _sentence("speech", provider, names)


def _sentence(stage: str, provider: Provider, what: str) -> str:
    if provider.embedded:
        return f"{stage}: {what}, embedded; {_BETTER[stage]}"
    return f"{stage}: {what}, by {provider.name}"
