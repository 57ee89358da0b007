"""Who speaks, as the environment says it."""

from __future__ import annotations

import pytest
from visavis.rpc.settings import read_settings

from services.tts.settings import ProviderChoice, TtsSettings


def test_without_credentials_the_embedded_voices_speak(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    assert TtsSettings().chosen_provider is ProviderChoice.EMBEDDED


def test_credentials_choose_google_and_a_setting_overrules_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "account.json")
    assert TtsSettings().chosen_provider is ProviderChoice.GOOGLE
    monkeypatch.setenv("TTS_PROVIDER", "embedded")
    assert TtsSettings().chosen_provider is ProviderChoice.EMBEDDED


def test_a_wrong_setting_stops_the_start_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_EMBEDDED_CONCURRENCY", "0")
    with pytest.raises(SystemExit, match="TTS_EMBEDDED_CONCURRENCY"):
        read_settings(TtsSettings)
