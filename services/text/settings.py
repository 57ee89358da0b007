"""The environment goes in, the text service's settings come out, checked."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import AliasChoices, Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict
from visavis.rpc.settings import ServiceSettings


class ProviderChoice(StrEnum):
    """Who writes the replies. `AUTO`: OpenAI when its key or a server address is set, else embedded."""

    AUTO = "auto"
    OPENAI = "openai"
    EMBEDDED = "embedded"


class TextSettings(ServiceSettings):
    """TEXT_LISTEN and so on; OpenAI's own variables keep their standard names."""

    model_config = SettingsConfigDict(env_prefix="TEXT_", populate_by_name=True)

    provider: ProviderChoice = ProviderChoice.AUTO
    openai_api_key: SecretStr | None = Field(default=None, validation_alias=AliasChoices("OPENAI_API_KEY"))
    # Any server that speaks OpenAI's chat completions.
    openai_base_url: str | None = Field(default=None, validation_alias=AliasChoices("OPENAI_BASE_URL"))
    openai_model: str = Field(default="gpt-4o-mini", min_length=1)
    # What models hold whose context is not published; 0: not known, so their server refuses what is too long.
    openai_context_tokens: int = Field(default=0, ge=0)
    openai_connect_seconds: float = Field(default=5, gt=0)
    # The longest silence in the middle of an answer.
    openai_stall_seconds: float = Field(default=30, gt=0)
    openai_retries: int = Field(default=2, ge=0, le=10)

    # Any GGUF file with a chat template; unset: the one that is installed with the service.
    model_path: Path | None = None
    # What the embedded model can hold. One core reads about 100 new tokens a second: more means longer waits.
    context_tokens: int = Field(default=1024, ge=512)
    embedded_threads: int = Field(default=1, ge=1)
    # Tokens of an embedded reply for which the caller set no limit.
    embedded_max_tokens: int = Field(default=120, ge=1)
    # Replies that may wait for the embedded model; more are refused as busy.
    embedded_waiting: int = Field(default=8, ge=0)

    # The most tokens of any reply, whatever the caller asks for.
    max_tokens: int = Field(default=1024, ge=1)
    max_messages: int = Field(default=200, ge=1)
    max_characters: int = Field(default=100_000, ge=1)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.openai_api_key is not None:
            # Secrets that were made of a file end as its last line does.
            key = self.openai_api_key.get_secret_value().strip()
            self.openai_api_key = SecretStr(key) if key else None
        if self.chosen_provider is ProviderChoice.OPENAI:
            if self.openai_api_key is None and not self.openai_base_url:
                raise ValueError(
                    "TEXT_PROVIDER=openai needs OPENAI_API_KEY, or OPENAI_BASE_URL for a server without keys"
                )
            if self.model_path is not None:
                raise ValueError(
                    "TEXT_MODEL_PATH is for the embedded model, yet OpenAI is chosen: unset it, or set"
                    " TEXT_PROVIDER=embedded"
                )
        elif self.model_path is not None and not self.model_path.is_file():
            raise ValueError("TEXT_MODEL_PATH names no file: give the path of a GGUF file, or unset it")
        return self

    @property
    def chosen_provider(self) -> ProviderChoice:
        """`OPENAI` or `EMBEDDED`."""
        if self.provider is not ProviderChoice.AUTO:
            return self.provider
        named = self.openai_api_key is not None or bool(self.openai_base_url)
        return ProviderChoice.OPENAI if named else ProviderChoice.EMBEDDED
