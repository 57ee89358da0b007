"""A server's URL goes in, a client of it comes out: one for the whole process, bounded, closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeAlias
from urllib.parse import urlsplit

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialWithJitterBackoff, NoBackoff
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004
    ReadOnlyError,
    RedisError,
    TimeoutError,  # noqa: A004
)

log = structlog.get_logger()

Client: TypeAlias = Redis

_CONNECTIONS = 64
_CONNECT_SECONDS = 2.0
# A blocking read has to return before it.
ANSWER_SECONDS = 10.0
_FIRST_DELAY_SECONDS = 0.05
_LONGEST_DELAY_SECONDS = 1.0
# Some five seconds: a server that restarts, or hands over to another, is back by then.
_RETRIES = 10


class ValkeyUnreachable(Exception):
    """The server does not answer, or not to us. The message says where and what to do, without a password."""


@asynccontextmanager
async def connected(url: str, patience_seconds: float = 0.0) -> AsyncIterator[Client]:
    """A client whose answers are bytes. The library makes calls again that broke.

    So a command that must not run twice has to carry something that a script knows it by.

    Raises:
        ValkeyUnreachable: after `patience_seconds`, or at once where the server refuses the password.
    """
    await check_answers(url, patience_seconds)
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=_CONNECTIONS,
        timeout=ANSWER_SECONDS,
        socket_connect_timeout=_CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(ExponentialWithJitterBackoff(_LONGEST_DELAY_SECONDS, _FIRST_DELAY_SECONDS), _RETRIES),
        # A server that another one has taken the place of refuses to write: a new connection finds that one.
        retry_on_error=[ConnectionError, TimeoutError, ReadOnlyError],
    )
    async with Redis.from_pool(pool) as client:
        yield client


def place(url: str) -> str:
    """The URL as it may be shown: without user, password and options."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


async def check_answers(url: str, patience_seconds: float) -> None:
    """Returns once the server answers. Raises ValkeyUnreachable."""
    now = asyncio.get_running_loop().time
    deadline = now() + patience_seconds
    once = Retry(NoBackoff(), 0)
    async with Redis.from_url(url, retry=once, socket_connect_timeout=_CONNECT_SECONDS) as client:
        while (error := await _refusal(client)) is not None:
            if _is_password_refused(error):
                raise ValkeyUnreachable(
                    f"The Valkey at {place(url)} refuses this user and password: correct GATEWAY_VALKEY_URL."
                )
            if now() >= deadline:
                raise ValkeyUnreachable(
                    f"The Valkey at {place(url)} did not answer within {patience_seconds:g} seconds "
                    f"({type(error).__name__}): start it, or correct GATEWAY_VALKEY_URL."
                )
            log.warning("valkey does not answer yet", place=place(url), error=type(error).__name__)
            await asyncio.sleep(_LONGEST_DELAY_SECONDS)


async def _refusal(client: Client) -> Exception | None:
    try:
        await client.ping()
    except (RedisError, OSError) as error:
        return error
    return None


def _is_password_refused(error: Exception) -> bool:
    # The library wraps what it is told while it connects.
    return isinstance(error, AuthenticationError) or isinstance(error.__cause__, AuthenticationError)
