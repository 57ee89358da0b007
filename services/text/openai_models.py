"""The name of one of OpenAI's models goes in, what is published about it comes out."""

from __future__ import annotations

# Prompt and answer together: https://platform.openai.com/docs/models. The longest matching name counts.
_CONTEXT_TOKENS = {
    "gpt-6": 1_050_000,
    "gpt-6.1": 1_050_000,
    "gpt-5.6": 1_050_000,
    "gpt-5.5": 1_050_000,
    "gpt-5.4": 1_050_000,
    "gpt-5.4-mini": 400_000,
    "gpt-5.4-nano": 400_000,
    "gpt-5.3": 400_000,
    "gpt-5.2": 400_000,
    "gpt-5.1": 400_000,
    "gpt-5": 400_000,
    "gpt-4.1": 1_047_576,
    "gpt-4.5": 128_000,
    "gpt-4o": 128_000,
    "chatgpt-4o": 128_000,
    "gpt-4-turbo": 128_000,
    "gpt-4-1106": 128_000,
    "gpt-4-0125": 128_000,
    "gpt-4-32k": 32_768,
    "gpt-4": 8_192,
    "gpt-3.5-turbo": 16_385,
    "o4-mini": 200_000,
    "o3": 200_000,
    "o1": 200_000,
    "o1-mini": 128_000,
    "o1-preview": 128_000,
}
_CHAT_LATEST_TOKENS = 128_000
# OpenAI lists every kind of model it has; these words mark those that do not answer chat completions.
_NOT_CHAT = (
    "audio", "babbage", "codex", "computer-use", "dall-e", "davinci", "deep-research", "embedding", "image",
    "instruct", "moderation", "realtime", "search", "sora", "transcribe", "tts", "whisper",
)  # fmt: skip


def context_tokens(model: str) -> int:
    """The most tokens that the model, or what it was tuned from, holds; 0 where that is not known."""
    base = model.removeprefix("ft:").partition(":")[0]
    if base.startswith("gpt-5") and base.endswith("-chat-latest"):
        return _CHAT_LATEST_TOKENS
    known = (name for name in _CONTEXT_TOKENS if base == name or base.startswith(f"{name}-"))
    return _CONTEXT_TOKENS.get(max(known, key=len, default=""), 0)


def is_chat_model(model: str) -> bool:
    """Whether a model that OpenAI lists can answer a conversation."""
    return not any(word in model for word in _NOT_CHAT)
