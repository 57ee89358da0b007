"""A media type goes in; what the description says of responses that carry such files comes out."""

from __future__ import annotations

from typing import Any


def whole_file(media_type: str, description: str = "The file.") -> dict[int | str, dict[str, Any]]:
    """For a route that sends all of it."""
    return {200: {"description": description, "content": _content(media_type)}}


def file_or_range(media_type: str) -> dict[int | str, dict[str, Any]]:
    """For a route that knows Range."""
    return whole_file(media_type, "The whole file.") | {
        206: {"description": "The part that Range asks for.", "content": _content(media_type)},
        416: {"description": "The range begins behind the end of the file."},
    }


def _content(media_type: str) -> dict[str, Any]:
    return {media_type: {"schema": {"type": "string", "format": "binary"}}}
