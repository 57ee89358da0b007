"""What the environment says, and what it may not say."""

from __future__ import annotations

from pathlib import Path

import pytest
from visavis.rpc.settings import read_settings

from services.text.settings import ProviderChoice, TextSettings


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "TEXT_PROVIDER", "TEXT_MODEL_PATH"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("environment", "chosen"),
    [
        ({}, ProviderChoice.EMBEDDED),
        ({"OPENAI_API_KEY": " "}, ProviderChoice.EMBEDDED),
        ({"OPENAI_API_KEY": "key"}, ProviderChoice.OPENAI),
        ({"OPENAI_API_KEY": "key", "TEXT_PROVIDER": "embedded"}, ProviderChoice.EMBEDDED),
        ({"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}, ProviderChoice.OPENAI),
    ],
)
def test_the_key_chooses_the_provider_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], chosen: ProviderChoice
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert read_settings(TextSettings).chosen_provider is chosen


def test_the_end_of_a_secrets_file_is_no_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "key\n")
    key = read_settings(TextSettings).openai_api_key
    assert key is not None
    assert key.get_secret_value() == "key"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"TEXT_PROVIDER": "openai"}, "OPENAI_API_KEY"),
        ({"TEXT_MODEL_PATH": "/nowhere/model.gguf"}, "TEXT_MODEL_PATH"),
        ({"TEXT_PROVIDER": "clever"}, "TEXT_PROVIDER"),
        ({"TEXT_MAX_TOKENS": "0"}, "TEXT_MAX_TOKENS"),
    ],
)
def test_contradictions_stop_the_start_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match=named):
        read_settings(TextSettings)


def test_a_model_file_contradicts_openai(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    model = tmp_path / "model.gguf"
    model.touch()
    monkeypatch.setenv("OPENAI_API_KEY", "key")
    monkeypatch.setenv("TEXT_MODEL_PATH", str(model))
    with pytest.raises(SystemExit, match="TEXT_MODEL_PATH"):
        read_settings(TextSettings)


def test_the_key_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "very-secret")
    assert "very-secret" not in repr(read_settings(TextSettings))
