"""The real gateway on scripted stages, the real browser on the real page, for every test of the page."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, TypeAlias

import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser

from gateway.http.app import gateway_app
from gateway.settings import GatewaySettings
from tests.fakes.stages import FakeStages, fake_stages
from tests.web.browser import launched
from tests.web.line import Line, line_to
from tests.web.visit import Visit, visit

Visiting: TypeAlias = Callable[..., Awaitable[Visit]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    async with launched() as browser:
        yield browser


@pytest_asyncio.fixture(loop_scope="session")
async def stages() -> AsyncIterator[FakeStages]:
    async with fake_stages() as stages:
        yield stages


@pytest_asyncio.fixture(loop_scope="session")
async def line(stages: FakeStages, tmp_path: Path) -> AsyncIterator[Line]:
    """The gateway behind a line that can be cut."""
    async with lined(stages, tmp_path) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="session")
async def visiting(browser: Browser, line: Line) -> AsyncIterator[Visiting]:
    """Opens the page for a visitor; keywords are the browser context's."""
    async with AsyncExitStack() as tabs:

        async def open_page(**options: Any) -> Visit:
            visitor = await visit(browser, line.url, **options)
            tabs.push_async_callback(visitor.context.close)
            return visitor

        yield open_page


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(visiting: Visiting) -> AsyncIterator[Visit]:
    """Someone on a laptop. Whatever happens, the browser must have nothing to complain about."""
    visitor = await visiting()
    yield visitor
    assert visitor.complaints == []


@asynccontextmanager
async def lined(stages: FakeStages, data: Path, **changes: Any) -> AsyncIterator[Line]:
    """A gateway on those stages behind a line; keywords change its settings."""
    values: dict[str, Any] = {
        "data": str(data),
        "patience_seconds": 0,
        "text_target": stages.text_server.address,
        "tts_target": stages.tts_server.address,
        "lipsync_target": stages.lipsync_server.address,
    }
    async with served(GatewaySettings(**values | changes)) as port, line_to(port) as line:
        yield line


@asynccontextmanager
async def served(settings: GatewaySettings) -> AsyncIterator[int]:
    """A gateway in this process; yields its port."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(gateway_app(settings), log_config=None, timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        await serving


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One event loop for all of them: the browser outlives a test."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and isinstance(item, pytest.Function) and iscoroutinefunction(item.obj):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)
