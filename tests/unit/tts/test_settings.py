"""Who speaks, as the environment says it."""

from __future__ import annotations

import pytest
from visavis.rpc.settings import read_settings

from services.tts.settings import ProviderChoice, TtsSettings

NAMES = ("GOOGLE_APPLICATION_CREDENTIALS", "OPENAI_API_KEY", "OPENAI_BASE_URL")
LOCAL = "http://127.0.0.1:8880/v1"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_without_credentials_the_embedded_voices_speak() -> None:
    assert TtsSettings().chosen_provider is ProviderChoice.EMBEDDED


def test_credentials_choose_google_and_a_setting_overrules_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "account.json")
    assert TtsSettings().chosen_provider is ProviderChoice.GOOGLE
    monkeypatch.setenv("TTS_PROVIDER", "embedded")
    assert TtsSettings().chosen_provider is ProviderChoice.EMBEDDED


@pytest.mark.parametrize(("name", "value"), [("BASE_URL", LOCAL), ("API_KEY", "sk-speech")])
def test_a_speech_endpoint_or_its_key_chooses_it(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"TTS_OPENAI_{name}", value)
    assert TtsSettings().chosen_provider is ProviderChoice.OPENAI


def test_the_text_service_s_key_chooses_nothing_and_is_sent_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-text")
    assert TtsSettings().chosen_provider is ProviderChoice.EMBEDDED
    monkeypatch.setenv("TTS_OPENAI_BASE_URL", LOCAL)
    assert TtsSettings().openai_key is None


def test_the_text_service_s_key_serves_speech_where_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-text")
    monkeypatch.setenv("TTS_PROVIDER", "openai")
    assert TtsSettings().openai_key == "sk-text"
    monkeypatch.setenv("TTS_OPENAI_API_KEY", "sk-speech")
    assert TtsSettings().openai_key == "sk-speech"


def test_openai_without_key_and_server_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_PROVIDER", "openai")
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    with pytest.raises(SystemExit, match="TTS_OPENAI_API_KEY or OPENAI_API_KEY, or TTS_OPENAI_BASE_URL"):
        read_settings(TtsSettings)


def test_two_providers_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "account.json")
    monkeypatch.setenv("TTS_OPENAI_BASE_URL", LOCAL)
    with pytest.raises(SystemExit, match="TTS_PROVIDER=google"):
        read_settings(TtsSettings)
    monkeypatch.setenv("TTS_PROVIDER", "google")
    assert read_settings(TtsSettings).chosen_provider is ProviderChoice.GOOGLE


def test_voices_are_configured_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_OPENAI_VOICES", '[{"name": "zf_xiaobei", "languages": ["zh"]}]')
    (voice,) = TtsSettings().openai_voices
    assert (voice.name, voice.gender, voice.languages) == ("zf_xiaobei", "neutral", ("zh",))


def test_a_wrong_setting_stops_the_start_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_EMBEDDED_CONCURRENCY", "0")
    with pytest.raises(SystemExit, match="TTS_EMBEDDED_CONCURRENCY"):
        read_settings(TtsSettings)
