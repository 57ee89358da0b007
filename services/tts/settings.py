"""The environment goes in, the speech service's settings come out, checked."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict
from visavis.rpc.settings import ServiceSettings

# Those that OpenAI's voices are published to speak, as far as a voice here may be asked for them.
_OPENAI_LANGUAGES = ("en", "zh", "de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr")


class ProviderChoice(StrEnum):
    """Who speaks.

    `AUTO`: OpenAI's endpoint when TTS_OPENAI_BASE_URL or TTS_OPENAI_API_KEY is set, Google when
    GOOGLE_APPLICATION_CREDENTIALS is, else the embedded voices.
    """

    AUTO = "auto"
    OPENAI = "openai"
    GOOGLE = "google"
    EMBEDDED = "embedded"


class OpenAiVoice(BaseModel):
    """One voice of an OpenAI-compatible server; the first that speaks a language is its default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1)
    gender: Literal["female", "male", "neutral"] = "neutral"
    languages: tuple[str, ...] = Field(default=_OPENAI_LANGUAGES, min_length=1)


# https://platform.openai.com/docs/guides/text-to-speech: those that every one of its models has.
_OPENAI_VOICES = (
    OpenAiVoice(name="nova", gender="female"),
    OpenAiVoice(name="shimmer", gender="female"),
    OpenAiVoice(name="alloy"),
    OpenAiVoice(name="echo", gender="male"),
    OpenAiVoice(name="onyx", gender="male"),
    OpenAiVoice(name="fable"),
)


class TtsSettings(ServiceSettings):
    """TTS_LISTEN and so on; Google's and OpenAI's own variables keep their standard names."""

    model_config = SettingsConfigDict(env_prefix="TTS_", populate_by_name=True)

    provider: ProviderChoice = ProviderChoice.AUTO
    google_application_credentials: str | None = Field(
        default=None, validation_alias=AliasChoices("GOOGLE_APPLICATION_CREDENTIALS")
    )
    # host:port of another server of that API; http://host:port is one without TLS and without credentials.
    google_endpoint: str | None = Field(default=None, min_length=1)
    # The longest that one utterance may take there, tries included.
    google_seconds: float = Field(default=20, gt=0)

    # Any server with OpenAI's POST /audio/speech; unset: OpenAI itself.
    openai_base_url: str | None = Field(default=None, min_length=1)
    openai_api_key: SecretStr | None = None
    # The key that the text service uses; serves here only where TTS_PROVIDER=openai asks for it.
    shared_openai_api_key: SecretStr | None = Field(
        default=None, validation_alias=AliasChoices("OPENAI_API_KEY")
    )
    openai_model: str = Field(default="gpt-4o-mini-tts", min_length=1)
    # As JSON: [{"name": "af_heart", "gender": "female", "languages": ["en-US"]}, …].
    openai_voices: tuple[OpenAiVoice, ...] = Field(default=_OPENAI_VOICES, min_length=1)
    # "wav" for a server whose PCM is not 24 kHz.
    openai_format: Literal["pcm", "wav"] = "pcm"
    openai_connect_seconds: float = Field(default=5, gt=0)
    # The longest silence in the middle of an answer.
    openai_stall_seconds: float = Field(default=10, gt=0)
    # The longest that one utterance may take there, tries included.
    openai_seconds: float = Field(default=30, gt=0)
    openai_retries: int = Field(default=2, ge=0, le=10)

    # Utterances that the embedded voices speak at once; more wait.
    embedded_concurrency: int = Field(default=2, ge=1)
    # Of one utterance.
    max_characters: int = Field(default=2_000, ge=1)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if (
            self.provider is ProviderChoice.AUTO
            and self._names_openai
            and self.google_application_credentials
        ):
            raise ValueError(
                "TTS_OPENAI_… and GOOGLE_APPLICATION_CREDENTIALS name two providers: say which one"
                " speaks with TTS_PROVIDER=openai or TTS_PROVIDER=google"
            )
        if self.chosen_provider is ProviderChoice.OPENAI and not (self.openai_key or self.openai_base_url):
            raise ValueError(
                "TTS_PROVIDER=openai needs TTS_OPENAI_API_KEY or OPENAI_API_KEY, or TTS_OPENAI_BASE_URL for a"
                " server without keys"
            )
        return self

    @property
    def chosen_provider(self) -> ProviderChoice:
        """`OPENAI`, `GOOGLE` or `EMBEDDED`."""
        if self.provider is not ProviderChoice.AUTO:
            return self.provider
        if self._names_openai:
            return ProviderChoice.OPENAI
        return ProviderChoice.GOOGLE if self.google_application_credentials else ProviderChoice.EMBEDDED

    @property
    def openai_key(self) -> str | None:
        """The key for the speech endpoint, if there is one; never what the text service alone was given."""
        shared = self.shared_openai_api_key if self.provider is ProviderChoice.OPENAI else None
        return _secret(self.openai_api_key) or _secret(shared)

    @property
    def _names_openai(self) -> bool:
        return bool(self.openai_base_url or _secret(self.openai_api_key))


def _secret(value: SecretStr | None) -> str | None:
    return (value.get_secret_value().strip() if value else "") or None
