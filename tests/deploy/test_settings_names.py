"""What manifests and compose set is what the processes read: a misspelt name would silently do nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import AliasChoices
from pydantic_settings import BaseSettings

from gateway.settings import GatewaySettings
from services.lipsync.settings import LipsyncSettings
from services.text.settings import TextSettings
from services.tts.settings import TtsSettings
from tests.deploy.rendering import DEPLOY

SETTINGS: tuple[type[BaseSettings], ...] = (GatewaySettings, LipsyncSettings, TextSettings, TtsSettings)
FILES = [path for path in sorted(DEPLOY.rglob("*")) if path.suffix in (".yaml", ".example")]


def names_read() -> set[str]:
    names = set()
    for settings in SETTINGS:
        prefix = str(settings.model_config["env_prefix"])
        for field, info in settings.model_fields.items():
            names.add(f"{prefix}{field}".upper())
            if isinstance(info.validation_alias, AliasChoices):
                names.update(str(choice) for choice in info.validation_alias.choices)
    return names


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(DEPLOY)))
def test_every_setting_that_is_named_exists(file: Path) -> None:
    prefixes = "|".join(str(settings.model_config["env_prefix"]) for settings in SETTINGS)
    named = set(re.findall(rf"\b(?:{prefixes})[A-Z_]+\b", file.read_text()))
    assert named - names_read() == set()


def composed() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    return services


def test_compose_hands_nothing_on_that_is_not_set() -> None:
    """A variable without a value: OpenAI's client would take an empty address for an address."""
    for name in ("text", "tts"):
        assert all("=" not in variable for variable in composed()[name]["environment"])
    assert ":-}" not in (DEPLOY / "compose.yaml").read_text()


def test_compose_waits_for_what_runs_to_end() -> None:
    services = composed()
    for name, settings in zip(("gateway", "lipsync", "text", "tts"), SETTINGS, strict=True):
        drain_seconds = settings.model_fields["drain_seconds"].default
        assert int(services[name]["stop_grace_period"].removesuffix("s")) > drain_seconds


def test_compose_waits_for_what_a_gateway_needs() -> None:
    services = composed()
    waits = services["gateway"]["depends_on"]
    assert set(waits) == set(services) - {"gateway", "bucket"}
    assert waits["valkey"] == {"condition": "service_healthy"} and "healthcheck" in services["valkey"]
    assert waits["bucket-made"] == {"condition": "service_completed_successfully"}
