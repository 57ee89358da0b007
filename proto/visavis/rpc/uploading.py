"""A call that uploads goes in, the same call comes out: what its server said at its end is its status.

A server may refuse before it has heard an upload to its end. grpc's asyncio client (1.85) then fails to send
the rest, and writes "Internal error from Core" over the status that had just come: that the server is busy,
or what it lacks, would never be heard.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import grpc

Value = TypeVar("Value")


class UploadingCall:
    """Everything else is as the call itself has it."""

    def __init__(self, call: Any) -> None:
        self._call = call
        self._ended_in: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._keep_status)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    async def __aiter__(self) -> AsyncIterator[Any]:
        with self._own_status():
            async for response in self._call:
                yield response

    async def read(self) -> Any:
        """The next response, as the call's own `read`."""
        with self._own_status():
            return await self._call.read()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._response().__await__()

    async def _response(self) -> Any:
        with self._own_status():
            return await self._call

    def _keep_status(self, _call: object) -> None:
        # gRPC calls this as soon as there is a status, and once.
        code, details = _there(self._call.code()), _there(self._call.details())
        trailing = _there(self._call.trailing_metadata())
        self._ended_in = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, details)

    @contextmanager
    def _own_status(self) -> Iterator[None]:
        try:
            yield
        except grpc.aio.AioRpcError as error:
            # What a server says of its own failure has metadata with it.
            overwritten = error.code() is grpc.StatusCode.INTERNAL and not error.trailing_metadata()
            if overwritten and self._ended_in is not None:
                raise self._ended_in from None
            raise


def _there(answer: Coroutine[Any, Any, Value]) -> Value:
    """What a coroutine returns that has nothing to wait for."""
    try:
        answer.send(None)
    except StopIteration as returned:
        there: Value = returned.value
        return there
    raise AssertionError("the call has ended, its status is there")
