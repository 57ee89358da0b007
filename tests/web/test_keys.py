"""A gateway with keys: the page asks for one, keeps it in its tab, and shows media by signed addresses."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, Locator, expect

from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import lined
from tests.web.visit import Visit, visit

KEY = "the-key-of-ann"
STORED = "[JSON.stringify({ ...localStorage }), JSON.stringify({ ...sessionStorage })]"


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, stages: FakeStages, tmp_path: Path) -> AsyncIterator[Visit]:
    """At the door of a gateway that knows one key."""
    keys = f"ann {hashlib.sha256(KEY.encode()).hexdigest()}"
    async with lined(stages, tmp_path, api_keys=keys) as line:
        visitor = await visit(browser, line.url)
        yield visitor
        await visitor.context.close()


def _door(visitor: Visit) -> Locator:
    return visitor.page.get_by_role("dialog", name="This server asks for a key")


async def _try(visitor: Visit, key: str) -> None:
    await _door(visitor).get_by_label("Key").fill(key)
    await visitor.page.keyboard.press("Enter")


async def test_a_key_opens_the_page_for_as_long_as_the_tab_lives(visitor: Visit) -> None:
    page = visitor.page
    await expect(_door(visitor)).to_be_visible()
    assert (await Axe().run(page)).response["violations"] == []
    await _try(visitor, "guessed")
    await expect(_door(visitor).get_by_role("alert")).to_contain_text("does not know this key")
    await page.keyboard.press("Escape")
    await expect(_door(visitor)).to_be_visible()
    await _try(visitor, KEY)
    await expect(_door(visitor)).to_be_hidden()
    await expect(page.locator("#notice")).to_contain_text("tiny")

    await visitor.answered("Behind the door")
    await page.reload()
    await expect(visitor.answers).to_have_text(REPLY)
    await page.get_by_role("button", name="Watch again").click()
    await visitor.speaks_past(0.2)
    await expect(page.get_by_role("alert")).to_have_count(0)
    kept, kept_for_the_tab = await page.evaluate(STORED)
    assert KEY not in kept
    assert KEY in kept_for_the_tab


async def test_a_key_can_be_forgotten(visitor: Visit) -> None:
    await _try(visitor, KEY)
    await expect(_door(visitor)).to_be_hidden()
    await visitor.page.get_by_role("button", name="Settings").click()
    await visitor.page.get_by_text("More", exact=True).click()
    await visitor.page.get_by_role("button", name="Forget the key of this server").click()
    await expect(_door(visitor)).to_be_visible()
    assert KEY not in "".join(await visitor.page.evaluate(STORED))
