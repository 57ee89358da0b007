"""What a caller wants answered, said or animated goes in, the POST that asks for it comes out."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypedDict

from pydantic import BaseModel

from visavis_client.connection import sendable


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class ReplyOptions(TypedDict, total=False):
    """How a reply is made; what is left out is the gateway's choice. Bounds are the gateway's to check."""

    model: str
    temperature: float
    max_tokens: int
    presence_penalty: float
    frequency_penalty: float
    stop: Sequence[str]
    logit_bias: Mapping[str, float]
    language: str
    voice: str
    speaking_rate: float
    pitch_semitones: float
    avatar: str
    network: str
    outputs: Sequence[Literal["text", "speech", "video"]]


class Created(BaseModel):
    """The answer to the POST, as far as it is needed."""

    id: str


def reply_request(
    *,
    messages: Sequence[Message] | None,
    say: str | None,
    audio: Path | bytes | None,
    idempotency_key: str | None,
    llm_api_key: str | None,
    options: ReplyOptions,
) -> dict[str, Any]:
    """Arguments for httpx's `post`.

    Raises:
        ValueError: not exactly one of `messages`, `say` and `audio` is given.
        UnusableKey: one of the keys can be sent in no header.
        OSError: the audio file cannot be read.
    """
    if sum(source is not None for source in (messages, say, audio)) != 1:
        raise ValueError("give exactly one of messages, say and audio")
    body: dict[str, Any] = {**options}
    if messages is not None:
        body["messages"] = list(messages)
    if say is not None:
        body["say"] = say
    headers: dict[str, str] = {}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = sendable("The Idempotency-Key", idempotency_key)
    if llm_api_key is not None:
        headers["X-LLM-API-Key"] = sendable("The language model's key", llm_api_key)
    if audio is None:
        return {"json": body, "headers": headers}
    name, content = (audio.name, audio.read_bytes()) if isinstance(audio, Path) else ("audio", audio)
    files = {
        "request": (None, json.dumps(body), "application/json"),
        "audio": (name, content, "application/octet-stream"),
    }
    return {"files": files, "headers": headers}
