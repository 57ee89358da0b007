"""The page's folder goes in, its files come out, each asked for again only where it has changed."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles


class PageFiles(StaticFiles):
    """Static files whose modules fit together: browsers may keep them, but ask by ETag before each use."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """The file, or 304 where the browser's copy is the same."""
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response
