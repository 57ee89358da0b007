"""A way to open a channel goes in; a channel comes out that looks for its servers anew when it has none.

gRPC asks for a name's addresses ever more rarely, after a minute without an answer only once a minute: a
service that was scaled to zero, or restarted, would stay out of reach long after it is back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Self

import grpc

from visavis.rpc.uploading import UploadingCall

# Between two channels: a connection needs that long.
_LEAST_SECONDS = 1.0
# What runs on a channel that was replaced may go on so long.
_GRACE_SECONDS = 600.0


class RenewedChannel(grpc.aio.Channel):
    """Hands every call to the channel of the moment."""

    def __init__(self, opened: Callable[[], grpc.aio.Channel]) -> None:
        self._open = opened
        self._channel = opened()
        self._opened_at = time.monotonic()
        self._leaving: set[asyncio.Task[None]] = set()

    def current(self) -> grpc.aio.Channel:
        """The channel of the moment, a new one where the last one has lost its servers."""
        lost = self._channel.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE
        if lost and time.monotonic() - self._opened_at >= _LEAST_SECONDS:
            leaving = asyncio.ensure_future(self._channel.close(_GRACE_SECONDS))
            self._leaving.add(leaving)
            leaving.add_done_callback(self._leaving.discard)
            self._channel = self._open()
            self._opened_at = time.monotonic()
        return self._channel

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        """As gRPC's own."""
        return self._method("unary_unary", args, kwargs)

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As gRPC's own."""
        return self._method("unary_stream", args, kwargs)

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        """As gRPC's own, with the status that the server gave."""
        return self._uploading_method("stream_unary", args, kwargs)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        """As gRPC's own, with the status that the server gave."""
        return self._uploading_method("stream_stream", args, kwargs)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """Of the channel of the moment."""
        return self.current().get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Of the channel of the moment."""
        await self.current().wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Of the channel of the moment."""
        await self.current().channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Closes the channel, and those that it replaced."""
        await self._channel.close(grace)
        for leaving in list(self._leaving):
            leaving.cancel()
            await asyncio.wait({leaving})

    def _method(self, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Callable[..., Any]:
        def call(*request: Any, **options: Any) -> Any:
            return getattr(self.current(), kind)(*args, **kwargs)(*request, **options)

        return call

    def _uploading_method(
        self, kind: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Callable[..., UploadingCall]:
        method = self._method(kind, args, kwargs)
        return lambda *request, **options: UploadingCall(method(*request, **options))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()
