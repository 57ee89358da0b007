"""A media type goes in; what the description says of responses that carry such files comes out."""

from __future__ import annotations

from typing import Any


def whole_text(media_type: str) -> dict[int | str, dict[str, Any]]:
    """For a route that sends all of a text."""
    return {200: {"description": "The text.", "content": {media_type: {"schema": {"type": "string"}}}}}


def file_or_range(media_type: str) -> dict[int | str, dict[str, Any]]:
    """For a route that sends a file, and knows Range."""
    content = {media_type: {"schema": {"type": "string", "format": "binary"}}}
    return {
        200: {"description": "The whole file.", "content": content},
        206: {"description": "The part that Range asks for.", "content": content},
        416: {"description": "The range begins behind the end of the file."},
    }
