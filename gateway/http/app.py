"""Settings go in, the HTTP application comes out: the API under /v1, the page at /."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from gateway.http.description import describe, operation_id
from gateway.http.entrance import Admitted, Entrance
from gateway.http.middleware import GuardedRequests
from gateway.http.page import PageFiles
from gateway.http.problem_responses import answer_with_problems
from gateway.http.routes import avatars, events, health, lists, media, replies, usage
from gateway.http.signing import Signatures
from gateway.http.state import opened
from gateway.http.viewer import serve_viewer
from gateway.settings import WEB_FOLDER, GatewaySettings


def gateway_app(settings: GatewaySettings, web_folder: Path = WEB_FOLDER) -> FastAPI:
    """The application; channels and stores are opened when it starts and closed when it ends."""
    keys = settings.keys()
    signing_key = settings.signing_key.get_secret_value().encode() or secrets.token_bytes(32)
    signatures = Signatures(signing_key if keys else None)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with opened(settings, signatures) as gateway:
            app.state.gateway = gateway
            yield

    app = FastAPI(
        # Generated clients are named after it, so that it is plain ASCII.
        title="Visavis gateway",
        version="0.1.0",
        summary="Vis-à-vis: send a conversation, a face answers.",
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        # FastAPI's own viewers come from a CDN; ours is mounted below.
        docs_url=None,
        redoc_url=None,
    )
    for routes in (replies, events, media, avatars, lists, usage, health):
        app.include_router(routes.router)
    answer_with_problems(app)
    describe(app)
    app.add_middleware(Admitted, entrance=Entrance(keys, signatures))
    app.add_middleware(GuardedRequests, settings=settings)
    if settings.origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.origins),
            allow_credentials=True,
            allow_methods=["GET", "POST", "DELETE"],
            allow_headers=["*"],
            expose_headers=["Location", "Retry-After", "X-Trace-Id", "Idempotent-Replayed"],
        )
    serve_viewer(app)
    app.mount("/", PageFiles(directory=web_folder, html=True, check_dir=False), name="page")
    return app
