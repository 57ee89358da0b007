"""The environment goes in, the settings that every gRPC service has come out: checked once, at start-up."""

from __future__ import annotations

from typing import Self, TypeVar

from pydantic import Field, FilePath, ValidationError, model_validator
from pydantic_settings import BaseSettings

Settings = TypeVar("Settings", bound=BaseSettings)


class TlsSettings(BaseSettings):
    """Where a process finds its certificate; all empty means plain text. Paths to PEM files."""

    tls_certificate: FilePath | None = None
    tls_key: FilePath | None = None
    # Given: the peer must show a certificate signed by it.
    tls_ca: FilePath | None = None

    @model_validator(mode="after")
    def _pair(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("set both tls_certificate and tls_key, or neither")
        return self


class ServiceSettings(TlsSettings):
    """Subclass with `env_prefix`, for example TEXT_; every field is then TEXT_LISTEN and so on."""

    # host:port. Port 0 takes a free one.
    listen: str = "127.0.0.1:0"
    metrics_port: int = Field(default=0, ge=0, le=65535)
    log_level: str = Field(default="info", pattern="^(debug|info|warning|error)$")
    log_json: bool = True
    # Calls served at once, health checks not counted; more are refused with RESOURCE_EXHAUSTED.
    max_calls: int = Field(default=64, ge=1)
    # Clients look for new servers when a connection has aged so much; its running calls go on.
    connection_seconds: float = Field(default=300.0, gt=0)
    # How long running calls may go on after SIGTERM.
    drain_seconds: float = Field(default=20.0, ge=0)


def read_settings(settings: type[Settings]) -> Settings:
    """The settings from the environment.

    Raises:
        SystemExit: a value is missing or wrong; its message names each variable and what it should be.
    """
    try:
        return settings()
    except ValidationError as error:
        prefix = settings.model_config.get("env_prefix", "")
        lines = []
        for problem in error.errors(include_url=False, include_input=False):
            place = [str(part) for part in problem["loc"]]
            # A field with an alias is reported under the variable's own name, a whole model under none.
            ours = bool(place) and place[0] in settings.model_fields
            name = (prefix if ours else "") + "_".join(place)
            lines.append(f"{name.upper()}: {problem['msg']}" if name else problem["msg"])
        raise SystemExit("Cannot start with these settings:\n  " + "\n  ".join(lines)) from None
