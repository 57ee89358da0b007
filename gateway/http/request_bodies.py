"""What the description says of request bodies: their schemas, and examples that can be sent as they stand."""

from __future__ import annotations

from typing import Any

from gateway.http.event_schemas import COMPONENTS, MESSAGE, SENT_EVENT

_MOON: dict[str, Any] = {"messages": [{"role": "user", "content": "Tell me about the moon."}]}
_REPLIES: dict[str, Any] = {
    "conversation": {"summary": "A conversation to answer", "value": _MOON},
    "say": {"summary": "A text to speak word for word", "value": {"say": "Hello, it is good to see you."}},
    "chinese": {"summary": "Another language", "value": {"say": "你好，很高兴认识你。", "language": "zh"}},
    "text only": {"summary": "The answer as text, no face", "value": {**_MOON, "outputs": ["text"]}},
    "settings": {
        "summary": "Everything the language model and the voice can be told",
        "value": {
            "messages": [
                {"role": "system", "content": "Answer in one sentence."},
                {"role": "user", "content": "Why is the sky blue?"},
                {"role": "assistant", "content": "Air scatters blue light more than red."},
                {"role": "user", "content": "And in the evening?"},
            ],
            "temperature": 0,
            "max_tokens": 60,
            "presence_penalty": 0.5,
            "frequency_penalty": 0.5,
            "stop": ["\n\n"],
            "logit_bias": {"very": -100},
            "language": "en",
            "speaking_rate": 1.1,
        },
    },
}
_RECORDED = {
    "type": "object",
    "required": ["request", "audio"],
    "properties": {
        "request": {
            "$ref": f"{COMPONENTS}/ReplyRequest",
            "description": "As JSON, at least `{}`; without messages and say.",
        },
        "audio": {
            "type": "string",
            "format": "binary",
            "description": "Recorded speech: WAV, MP3, FLAC, Ogg, M4A …; only the face is made.",
        },
    },
}
_PORTRAIT = {
    "type": "object",
    "required": ["image", "name", "consent"],
    "properties": {
        "image": {
            "type": "string",
            "format": "binary",
            "description": "One frontal face: JPEG, PNG or WebP, or 2 to 10 silent seconds of MP4 or WebM.",
        },
        "name": {"type": "string", "maxLength": 64, "description": "Its id is made of it."},
        "consent": {"type": "string", "const": "true", "description": "You may use this portrait."},
    },
}

REPLY_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": f"{COMPONENTS}/ReplyRequest"}, "examples": _REPLIES},
        "multipart/form-data": {
            "schema": _RECORDED,
            "encoding": {"request": {"contentType": "application/json"}},
        },
    },
}
TOKENS_BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/json": {
            "schema": {"$ref": f"{COMPONENTS}/TokensRequest"},
            "examples": {"conversation": {"summary": "A conversation, the draft included", "value": _MOON}},
        }
    },
}
PORTRAIT_BODY: dict[str, Any] = {"required": True, "content": {"multipart/form-data": {"schema": _PORTRAIT}}}

# What a POST of a reply answers besides 202.
FINISHED_OR_EVENTS: dict[str, Any] = {
    "description": "The finished reply (`Prefer: wait`), or the events as they are made (`Accept`).",
    "content": {
        "application/json": {"schema": {"$ref": f"{COMPONENTS}/Reply"}},
        "text/event-stream": {"schema": SENT_EVENT},
        "application/x-ndjson": {"schema": MESSAGE},
    },
}
