"""What is published about OpenAI's models, found by name."""

from __future__ import annotations

import pytest

from services.text.openai_models import context_tokens, is_chat_model


@pytest.mark.parametrize(
    ("model", "tokens"),
    [
        ("gpt-4", 8_192),
        ("gpt-4-0613", 8_192),
        ("gpt-4-turbo-2024-04-09", 128_000),
        ("gpt-4o-mini", 128_000),
        ("gpt-4.1-nano", 1_047_576),
        ("gpt-5-mini-2025-08-07", 400_000),
        ("gpt-5.1-chat-latest", 128_000),
        ("gpt-6-sol", 1_050_000),
        ("o1-mini-2024-09-12", 128_000),
        ("o3-2025-04-16", 200_000),
        ("ft:gpt-4o-mini-2024-07-18:acme::1", 128_000),
        ("gpt-40", 0),
        ("llama-3", 0),
    ],
)
def test_the_context_is_that_of_the_longest_name_that_fits(model: str, tokens: int) -> None:
    assert context_tokens(model) == tokens


def test_only_models_for_conversations_are_offered() -> None:
    listed = ["gpt-4o", "whisper-1", "tts-1", "text-embedding-3-small", "gpt-4o-realtime-preview", "o3"]
    assert [model for model in listed if is_chat_model(model)] == ["gpt-4o", "o3"]
