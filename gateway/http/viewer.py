"""The viewer's folder goes in; a page at /docs to read and try the description comes out."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import RedirectResponse, Response

from gateway.http.page import PageFiles
from gateway.settings import WEB_FOLDER

VIEWER_FOLDER = WEB_FOLDER.with_name("viewer")
# As strict as the page's own, except that Swagger UI makes markup of the description's Markdown: it cannot do
# with Trusted Types, so that they are not asked for here.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class _ViewerFiles(PageFiles):
    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Content-Security-Policy"] = _POLICY
        return response


def serve_viewer(app: FastAPI) -> None:
    """Nothing of it is loaded before somebody opens /docs, and nothing comes from another host."""

    async def to_folder() -> Response:
        return RedirectResponse("docs/")

    app.add_api_route("/docs", to_folder, include_in_schema=False)
    app.mount("/docs", _ViewerFiles(directory=VIEWER_FOLDER, html=True, check_dir=False), name="viewer")
