"""A photo's or clip's path, a name and a consent go in, the request that makes an avatar of it comes out."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

# What Python's own table lacks, whatever the system's tables hold.
_CLIPS = {
    ".mp4": "video/mp4",
    ".m4v": "video/mp4",
    ".mov": "video/quicktime",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
}
# The work may have to wait for a worker.
_SECONDS = 180.0


def portrait_request(photo: Path, name: str, *, consent: bool) -> dict[str, Any]:
    """Arguments for an httpx client's `post` to /v1/avatars. Raises OSError."""
    media_type = _CLIPS.get(photo.suffix.lower()) or mimetypes.guess_type(photo.name)[0]
    return {
        "data": {"name": name, "consent": "true" if consent else "false"},
        "files": {"image": (photo.name, photo.read_bytes(), media_type or "application/octet-stream")},
        "timeout": _SECONDS,
    }
