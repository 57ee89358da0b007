"""A photo's path, a name and a consent go in, the request that makes an avatar of it comes out."""

from __future__ import annotations

import mimetypes
from pathlib import Path
from typing import Any

# The work may have to wait for a worker.
_SECONDS = 180.0


def portrait_request(photo: Path, name: str, *, consent: bool) -> dict[str, Any]:
    """Arguments for an httpx client's `post` to /v1/avatars. Raises OSError."""
    media_type = mimetypes.guess_type(photo.name)[0] or "application/octet-stream"
    return {
        "data": {"name": name, "consent": "true" if consent else "false"},
        "files": {"image": (photo.name, photo.read_bytes(), media_type)},
        "timeout": _SECONDS,
    }
