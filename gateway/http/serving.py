"""An application goes in, a served process comes out that lets running replies end before it stops."""

from __future__ import annotations

import asyncio
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from gateway.http.state import Gateway
from gateway.settings import GatewaySettings

log = structlog.get_logger()

# After the drain every stream has ended: what still holds a connection is a client that does not let go.
_CLOSING_SECONDS = 3
_HEARD_BYTES = 4_096


def server_config(
    app: FastAPI, settings: GatewaySettings, closing_seconds: int = _CLOSING_SECONDS
) -> uvicorn.Config:
    """How the application is served."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=closing_seconds,
        ws_ping_interval=settings.ping_seconds,
        ws_ping_timeout=settings.ping_seconds,
        # Clients have nothing to say on a socket.
        ws_max_size=_HEARD_BYTES,
    )


class DrainingServer(uvicorn.Server):
    """The first signal drains: replies in the making, and their streams, may end. The second one stops."""

    def __init__(self, app: FastAPI, settings: GatewaySettings) -> None:
        super().__init__(server_config(app, settings))
        self._app = app
        self._drain_seconds = settings.drain_seconds
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """uvicorn's hook for SIGTERM and SIGINT, called on the main thread while the loop runs."""
        if self._draining is not None or not self.started:
            self.should_exit = True
            return
        # From a signal handler only this wakes the loop.
        asyncio.get_running_loop().call_soon_threadsafe(self._start_draining)

    def _start_draining(self) -> None:
        if self._draining is None:
            self._draining = asyncio.create_task(self._drain())

    async def _drain(self) -> None:
        gateway: Gateway = self._app.state.gateway
        log.info("draining", seconds=self._drain_seconds)
        try:
            await gateway.running.drain(self._drain_seconds)
            # Streams of what goes on elsewhere: their clients find it where they come back.
            await gateway.log.close()
        finally:
            self.should_exit = True
