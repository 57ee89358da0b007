"""The environment goes in, the gateway's settings come out: checked once, at start-up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, Field, NonNegativeInt, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict
from visavis.rpc.settings import TlsSettings

from gateway.callers import ApiKeys, api_keys
from gateway.media.store import KEPT_FOLDER
from gateway.visitors import is_loopback

WEB_FOLDER = Path(__file__).parent / "web"


class GatewaySettings(TlsSettings):
    """Every field is an environment variable GATEWAY_<NAME>. Times are seconds, sizes are bytes."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", populate_by_name=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535, validation_alias=AliasChoices("GATEWAY_PORT", "PORT"))
    # Who may ask: lines of `name sha256-of-the-key [running=4] [per_minute=60]`, from both places. With none,
    # everybody may, and listening for strangers has to be said in so many words.
    api_keys: str = Field(default="", repr=False)
    api_keys_file: Path | None = None
    allow_open: bool = False
    # Signs the addresses of a reply's parts; all replicas share it. Empty, where there is only one: a new key
    # at every start.
    signing_key: SecretStr = SecretStr("")
    # Other sites whose pages may use this gateway, each like https://face.example.
    origins: frozenset[str] = frozenset()
    metrics_port: int = Field(default=0, ge=0, le=65535)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    log_json: bool = True

    text_target: str = "127.0.0.1:50051"
    tts_target: str = "127.0.0.1:50052"
    lipsync_target: str = "127.0.0.1:50053"
    # Stages that are scaled to zero when idle: unreachable then means asleep, not down.
    sleeping_stages: frozenset[Literal["text", "speech", "video"]] = frozenset()

    # Where replicas keep what they share: redis://, rediss:// or unix://. Empty: this process is alone.
    valkey_url: SecretStr = SecretStr("")

    # Where media are kept: a folder, or a URL that obstore knows (s3://…, gs://…).
    data: str = "var/gateway"
    # Where uploaded avatars are kept until they are deleted: a folder or a URL. Empty: beside the media.
    avatars: str = ""
    # An avatar of a photo takes about 4 s of one core, and may have to wait for a worker.
    build_seconds: float = Field(default=120.0, gt=0)
    keep_seconds: float = Field(default=24 * 3600, gt=0)

    # One reply, from the POST to its terminal event.
    reply_seconds: float = Field(default=600, gt=0)
    # How long a stage may be out of reach before the reply fails; set it above a cold start.
    patience_seconds: float = Field(default=20, ge=0)
    drain_seconds: float = Field(default=20, ge=0)
    # A gateway that says nothing for so long is taken for dead; others go on with its replies.
    takeover_seconds: float = Field(default=8, ge=0.5)
    ping_seconds: float = Field(default=15, gt=0)

    max_running_replies: int = Field(default=32, ge=1)
    # The same for all gateways that share a Valkey: about as many replies as may wait for video.
    max_replies_together: int = Field(default=256, ge=1)
    max_body_bytes: int = Field(default=1 << 20, ge=1024)
    max_upload_bytes: int = Field(default=64 << 20, ge=1024)
    max_messages: int = Field(default=200, ge=1)
    max_characters: int = Field(default=100_000, ge=1)
    # Word for word: about twelve minutes of speech.
    max_say_characters: int = Field(default=10_000, ge=1)
    max_speech_seconds: float = Field(default=900, gt=0)
    max_events: int = Field(default=20_000, ge=100)
    # Beyond it the replies that ended first are forgotten before their time.
    max_kept_replies: int = Field(default=2_000, ge=1)
    # Made ahead of the stage that takes them: text is small, speech is about 0.5 MB per utterance.
    utterances_ahead: int = Field(default=256, ge=1)
    speeches_ahead: int = Field(default=16, ge=1)
    # Utterances of one reply that are rendered at the same time: of use where there are several workers.
    renders_at_once: int = Field(default=1, ge=1, le=16)

    # Tokens a day that each model may cost on the site's own key: "gpt-4o-mini=200000 *=50000", or JSON.
    daily_tokens: Annotated[dict[str, NonNegativeInt], NoDecode] = Field(default={})

    @field_validator("daily_tokens", mode="before")
    @classmethod
    def _pairs(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value.lstrip().startswith("{"):
            try:
                return json.loads(value)
            except json.JSONDecodeError as error:
                raise ValueError(f"this is not JSON: {error.msg}") from None
        pairs = [pair.rpartition("=") for pair in value.replace(",", " ").split()]
        if not all(model for model, _, _ in pairs):
            raise ValueError("write model=tokens pairs, for example gpt-4o-mini=200000 *=50000")
        return {model: tokens for model, _, tokens in pairs}

    @field_validator("valkey_url")
    @classmethod
    def _known_scheme(cls, value: SecretStr) -> SecretStr:
        if value.get_secret_value().startswith(("redis://", "rediss://", "unix://")) or not value:
            return value
        raise ValueError("this must begin with redis://, rediss:// (TLS) or unix://")

    @model_validator(mode="after")
    def _loopback_or_said_so(self) -> Self:
        if not self.needs_no_key or self.allow_open or is_loopback(self.host):
            return self
        raise ValueError(
            f"host {self.host} can be reached from other machines and nobody needs a key to use this "
            "gateway; set GATEWAY_API_KEYS or GATEWAY_API_KEYS_FILE, listen on 127.0.0.1, or set "
            "GATEWAY_ALLOW_OPEN=true if that is what you want"
        )

    @model_validator(mode="after")
    def _signed_alike(self) -> Self:
        if self.needs_no_key or not self.valkey_url.get_secret_value() or self.signing_key.get_secret_value():
            return self
        raise ValueError(
            "gateways that share a Valkey and ask for keys have to open each other's addresses; set "
            "GATEWAY_SIGNING_KEY to one secret for all of them (openssl rand -hex 32 makes one)"
        )

    @property
    def estimates_file(self) -> Path | None:
        """Where what was learned is kept; None where media are kept in a bucket."""
        return None if "://" in self.data else Path(self.data) / "estimates.json"

    @property
    def avatars_place(self) -> str:
        """Where uploaded avatars are kept."""
        return self.avatars or f"{self.data.rstrip('/')}/{KEPT_FOLDER}"

    @property
    def needs_no_key(self) -> bool:
        """Everybody may ask."""
        return not self.keys()

    def keys(self) -> ApiKeys:
        """Who may ask. Raises ValueError."""
        return api_keys(self.api_keys + "\n" + self._file_of_keys())

    def _file_of_keys(self) -> str:
        try:
            return "" if self.api_keys_file is None else self.api_keys_file.read_text()
        except OSError as error:
            raise ValueError(f"api_keys_file cannot be read: {error.strerror}") from None
