"""Event models go in, JSON schemas come out: of each event's data, and of what carries them to clients."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from gateway.http.avatar_items import AVATAR_EVENTS
from gateway.reply.events import EVENTS, Event

COMPONENTS = "#/components/schemas"
# One event as a line of NDJSON or a frame of a WebSocket, and as server-sent events have it.
MESSAGE: dict[str, Any] = {"$ref": f"{COMPONENTS}/EventMessage"}
SENT_EVENT: dict[str, Any] = {"$ref": f"{COMPONENTS}/ServerSentEvent"}
# The same for an avatar that is being made.
AVATAR_MESSAGE: dict[str, Any] = {"$ref": f"{COMPONENTS}/AvatarEventMessage"}
AVATAR_SENT_EVENT: dict[str, Any] = {"$ref": f"{COMPONENTS}/AvatarServerSentEvent"}

_TOLERANCE = "Ignore events and members that you do not know: there may be more."


def model_schemas(*models: type[BaseModel]) -> dict[str, Any]:
    """The schemas of these models and of all that they are made of, by name."""
    _, definitions = models_json_schema(
        [(model, "validation") for model in models], ref_template=f"{COMPONENTS}/{{model}}"
    )
    schemas: dict[str, Any] = definitions["$defs"]
    return schemas


def event_schemas() -> dict[str, Any]:
    """What carries events to clients is any of theirs; which one it is, `event` says."""
    return _stream_schemas(EVENTS, "") | _stream_schemas(AVATAR_EVENTS, "Avatar")


def _stream_schemas(kinds: tuple[type[Event], ...], of: str) -> dict[str, Any]:
    schemas = model_schemas(*kinds)
    messages, sent_events = {}, {}
    for kind in kinds:
        name = kind.__name__.removesuffix("Event")
        messages[kind.event_name] = f"{name}Message"
        sent_events[kind.event_name] = f"{name}ServerSentEvent"
        schemas[f"{name}Message"] = _message(kind)
        schemas[f"{name}ServerSentEvent"] = _sent_event(kind)
    schemas[f"{of}EventMessage"] = _any_of(messages, f"One event. {_TOLERANCE}")
    schemas[f"{of}ServerSentEvent"] = _any_of(
        sent_events, f"One event, its data as a line of JSON. {_TOLERANCE}"
    )
    return schemas


def _any_of(names: dict[str, str], description: str) -> dict[str, Any]:
    references = {event: f"{COMPONENTS}/{name}" for event, name in names.items()}
    return {
        "description": description,
        "oneOf": [{"$ref": reference} for reference in references.values()],
        "discriminator": {"propertyName": "event", "mapping": references},
    }


def _message(kind: type[Event]) -> dict[str, Any]:
    position = {
        "type": "integer",
        "minimum": 1,
        "description": "Counts from 1 without gaps: the event's position.",
    }
    return _event(kind, position, {"$ref": f"{COMPONENTS}/{kind.__name__}"})


def _sent_event(kind: type[Event]) -> dict[str, Any]:
    data = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"$ref": f"{COMPONENTS}/{kind.__name__}"},
    }
    return _event(kind, {"type": "string", "pattern": "^[1-9][0-9]*$"}, data)


def _event(kind: type[Event], position: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "description": kind.__doc__,
        "required": ["id", "event", "data"],
        "properties": {"id": position, "event": {"type": "string", "const": kind.event_name}, "data": data},
    }
