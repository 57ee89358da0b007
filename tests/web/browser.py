"""The machine's Chromium goes in, a browser that Playwright drives comes out; else how to get one."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from playwright.async_api import Browser, async_playwright

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_INSTALL = "On Debian and Ubuntu: sudo apt-get install -y chromium"
# A user's click allows sound, as in every browser people use; headless ones would otherwise allow it always.
_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=document-user-activation-required",
)


def chromium_path() -> str:
    """Where Chromium is. Skips the test where there is none; fails it with VISAVIS_REQUIRE_BROWSER=1."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    reason = f"No Chromium on this machine. {_INSTALL}"
    if os.environ.get("VISAVIS_REQUIRE_BROWSER") == "1":
        pytest.fail(reason)
    pytest.skip(reason)


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """A running headless Chromium."""
    path = chromium_path()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_ARGUMENTS))
        try:
            yield browser
        finally:
            await browser.close()
