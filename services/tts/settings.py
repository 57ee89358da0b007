"""The environment goes in, the speech service's settings come out, checked."""

from __future__ import annotations

from enum import StrEnum

from pydantic import AliasChoices, Field
from pydantic_settings import SettingsConfigDict
from visavis.rpc.settings import ServiceSettings


class ProviderChoice(StrEnum):
    """Who speaks. `AUTO`: Google when GOOGLE_APPLICATION_CREDENTIALS is set, else the embedded voices."""

    AUTO = "auto"
    GOOGLE = "google"
    EMBEDDED = "embedded"


class TtsSettings(ServiceSettings):
    """TTS_LISTEN and so on; Google's own variable keeps its standard name."""

    model_config = SettingsConfigDict(env_prefix="TTS_", populate_by_name=True)

    provider: ProviderChoice = ProviderChoice.AUTO
    google_application_credentials: str | None = Field(
        default=None, validation_alias=AliasChoices("GOOGLE_APPLICATION_CREDENTIALS")
    )
    # host:port of another server of that API; http://host:port is one without TLS and without credentials.
    google_endpoint: str | None = Field(default=None, min_length=1)
    # The longest that one utterance may take there, tries included.
    google_seconds: float = Field(default=20, gt=0)
    # Utterances that the embedded voices speak at once; more wait.
    embedded_concurrency: int = Field(default=2, ge=1)
    longest_characters: int = Field(default=2_000, ge=1)

    @property
    def chosen_provider(self) -> ProviderChoice:
        """`GOOGLE` or `EMBEDDED`."""
        if self.provider is not ProviderChoice.AUTO:
            return self.provider
        return ProviderChoice.GOOGLE if self.google_application_credentials else ProviderChoice.EMBEDDED
