"""Handlers that raise go in, handlers that end in a rich gRPC status come out, in mid-stream too."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, aclosing, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import grpc
import structlog

from visavis.rpc.failures import Failure, FailureType, status_of
from visavis.rpc.telemetry import RPC_SECONDS, RPCS, bind_trace, traceparent_of
from visavis.rpc.tracing import span

log = structlog.get_logger()

if TYPE_CHECKING:
    Context: TypeAlias = grpc.aio.ServicerContext[Any, Any]
    Handler: TypeAlias = grpc.RpcMethodHandler[Any, Any]
_ALWAYS_ANSWERED = ("/grpc.health.", "/grpc.reflection.")


class FailureInterceptor(grpc.aio.ServerInterceptor):
    """Maps what a handler raises to a status, counts and times the call, and logs it with its trace id.

    Refuses calls beyond `max_calls` at once. gRPC's own bound would refuse health checks too, and whoever
    checks would kill a service for being in demand.
    """

    def __init__(self, max_calls: int) -> None:
        self._room = _Room(max_calls)

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """gRPC's hook: the same handler, wrapped."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if handler is None or method.startswith(_ALWAYS_ANSWERED):
            return handler
        if handler.response_streaming:
            behaviour = handler.stream_stream if handler.request_streaming else handler.unary_stream
            stream = _streaming(
                method, cast("Callable[[Any, Context], AsyncGenerator[Any, None]]", behaviour), self._room
            )
            make = (
                grpc.stream_stream_rpc_method_handler
                if handler.request_streaming
                else grpc.unary_stream_rpc_method_handler
            )
            return make(stream, handler.request_deserializer, handler.response_serializer)
        behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary
        answer = _answering(method, cast("Callable[[Any, Context], Awaitable[Any]]", behaviour), self._room)
        make = (
            grpc.stream_unary_rpc_method_handler
            if handler.request_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        return make(answer, handler.request_deserializer, handler.response_serializer)


class ReadinessInterceptor(grpc.aio.ServerInterceptor):
    """Refuses calls until the service is ready, so that a starting process answers instead of hanging."""

    def __init__(self) -> None:
        self.ready = False

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        """gRPC's hook: the handler itself, or one that says to try again."""
        handler = await continuation(handler_call_details)
        method = str(handler_call_details.method)
        if self.ready or handler is None or method.startswith(_ALWAYS_ANSWERED):
            return handler

        async def refuse(_request: Any, context: Context) -> Any:
            failure = Failure(
                FailureType.STAGE_UNAVAILABLE, "The service is still starting.", retry_after_seconds=1
            )
            await context.abort_with_status(status_of(failure))

        make = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }[handler.request_streaming, handler.response_streaming]
        return make(refuse, handler.request_deserializer, handler.response_serializer)


def _streaming(
    method: str, behaviour: Callable[[Any, Context], AsyncGenerator[Any, None]], room: _Room
) -> Callable[[Any, Context], AsyncIterator[Any]]:
    async def stream(request: Any, context: Context) -> AsyncIterator[Any]:
        call = _Call(method, context)
        try:
            with call.span(), room.taken():
                async with aclosing(behaviour(request, context)) as responses:
                    async for response in responses:
                        yield response
            call.end("OK")
        except BaseException as error:
            await call.fail(error)
            raise

    return stream


def _answering(
    method: str, behaviour: Callable[[Any, Context], Awaitable[Any]], room: _Room
) -> Callable[[Any, Context], Awaitable[Any]]:
    async def answer(request: Any, context: Context) -> Any:
        call = _Call(method, context)
        try:
            with call.span(), room.taken():
                response = await behaviour(request, context)
        except BaseException as error:
            await call.fail(error)
            raise
        call.end("OK")
        return response

    return answer


class _Room:
    """For so many calls at once."""

    def __init__(self, places: int) -> None:
        self._free = places

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Takes a place for as long as the block runs. Raises Failure (busy)."""
        if not self._free:
            raise Failure(
                FailureType.BUSY, "The service is at its limit. Try again in a moment.", retry_after_seconds=1
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class _Call:
    """One call on the server, from its first byte to its status."""

    def __init__(self, method: str, context: Context) -> None:
        self.method = method.rsplit("/", 1)[-1]
        self.context = context
        self.begun = time.perf_counter()
        self.traceparent = traceparent_of(context.invocation_metadata())
        bind_trace(self.traceparent)

    def span(self) -> AbstractContextManager[str]:
        """The call in its caller's trace."""
        return span(self.method, self.traceparent, "server")

    def end(self, code: str) -> None:
        seconds = time.perf_counter() - self.begun
        RPCS.labels(self.method, code).inc()
        RPC_SECONDS.labels(self.method).observe(seconds)
        log.debug("call", method=self.method, code=code, seconds=round(seconds, 4))

    async def fail(self, error: BaseException) -> None:
        """Aborts with the failure's status. Cancellation and generator exit are passed on by the caller."""
        if isinstance(error, Failure):
            self.end(error.type.value)
            log.info("call failed", method=self.method, type=error.type.value)
            await self.context.abort_with_status(status_of(error))
        elif isinstance(error, grpc.aio.AbortError):
            self.end("ABORTED")
        elif isinstance(error, Exception):
            self.end(FailureType.UNKNOWN.value)
            # The exception's text may quote what a user wrote: only its kind and place go to the log.
            log.error("call crashed", method=self.method, error=type(error).__name__, at=_place(error))
            failure = Failure(FailureType.UNKNOWN, "The service failed in a way it did not expect.")
            await self.context.abort_with_status(status_of(failure))
        else:
            self.end("CANCELLED")


def _place(error: BaseException) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return ""
    return f"{trace.tb_frame.f_globals.get('__name__', '')}:{trace.tb_lineno}"
