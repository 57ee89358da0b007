"""The application goes in, its OpenAPI description comes out: for people, code generators and tests."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from visavis.rpc.failures import FailureType

from gateway.http.entrance import is_open
from gateway.http.event_schemas import COMPONENTS, event_schemas, model_schemas
from gateway.http.problem_responses import MEDIA_TYPE
from gateway.http.signing import PARAMETER
from gateway.reply.addresses import ROOT
from gateway.reply.events import Problem
from gateway.requests import ReplyRequest, TokensRequest

_ABOUT = f"""Text, speech and lip-synced video stream back while they are still being made.

`POST {ROOT}` starts a reply. How you hear of it is your choice: poll the reply, follow its **events** as
SSE, NDJSON or over a WebSocket, have them on the POST itself, or wait for the end with `Prefer: wait=60`.
Events have ids: a reader that lost its line goes on with `Last-Event-ID` and misses nothing. Exactly one
event ends a reply: `done` or `error`. **Media** can be fetched while they grow.

Errors are `{MEDIA_TYPE}` (RFC 9457) with a stable `type`. Fields that are not known here are refused by name.
"""
_TAGS = {
    "replies": "Ask for a reply, see how it stands, cancel it, remove it.",
    "events": "What happens to a reply, as it happens, from any position on.",
    "media": "Video, speech and captions. What has been made can be fetched at once.",
    "avatars": "The faces that can speak, your own among them.",
    "lists": "What can be asked for, and what a conversation costs.",
    "usage": "What your replies have cost.",
    "health": "For load balancers; no key is needed.",
}
_SECURITY_SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key of this gateway. One that listens on its own machine only needs none.",
    },
    "signature": {
        "type": "apiKey",
        "in": "query",
        "name": PARAMETER,
        "description": "For EventSource, WebSocket and media elements, which can send no header. It is part "
        "of the addresses that replies and events name, and reads one reply for as long as that is kept.",
    },
}
_PROBLEM_TYPES = ", ".join(f"`{type_.value}`" for type_ in FailureType)


def operation_id(route: APIRoute) -> str:
    """What generated clients call an operation."""
    return route.name


def describe(app: FastAPI) -> None:
    """Lets the application describe itself so; made at the first request for it, and kept."""

    def description() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _description(app)
        return app.openapi_schema

    app.openapi = description  # type: ignore[method-assign]


def _description(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=_ABOUT,
        routes=app.routes,
        tags=[{"name": name, "description": about} for name, about in _TAGS.items()],
    )
    for path, operations in described["paths"].items():
        for method, operation in operations.items():
            _complete(operation)
            operation["security"] = _security(path, method)
    components = described["components"]
    components["securitySchemes"] = _SECURITY_SCHEMES
    components["responses"] = {"Problem": _problem_response()}
    schemas = components["schemas"]
    # FastAPI's own form of a refusal, which is never sent here.
    schemas.pop("HTTPValidationError", None)
    schemas.pop("ValidationError", None)
    schemas.update(model_schemas(ReplyRequest, TokensRequest, Problem))
    schemas.update(event_schemas())
    schemas["Problem"]["properties"]["type"]["description"] = (
        f"Stable, for programs: {_PROBLEM_TYPES}, or what HTTP calls the status. There may be more of them."
    )
    return described


def _complete(operation: dict[str, Any]) -> None:
    """A docstring's first line becomes the summary; every error is a problem."""
    first, _, rest = str(operation.get("description", "")).partition("\n")
    operation["summary"] = first.removesuffix(".")
    operation["description"] = rest.strip() or first
    operation["responses"].pop("422", None)
    operation["responses"]["default"] = {"$ref": "#/components/responses/Problem"}


def _problem_response() -> dict[str, Any]:
    return {
        "description": "The request is refused, or has failed: `type` says why, `detail` what to do.",
        "headers": {
            "Retry-After": {
                "description": "Seconds after which another try makes sense, where that is known.",
                "schema": {"type": "integer", "minimum": 1},
            }
        },
        "content": {MEDIA_TYPE: {"schema": {"$ref": f"{COMPONENTS}/Problem"}}},
    }


def _security(path: str, method: str) -> list[dict[str, list[str]]]:
    if is_open(path):
        return []
    reads_a_reply = path.startswith(f"{ROOT}/") and method == "get"
    open_gateway: dict[str, list[str]] = {}
    return [{"key": []}, {"signature": []}, open_gateway] if reads_a_reply else [{"key": []}, open_gateway]
