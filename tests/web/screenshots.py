"""`python -m tests.web.screenshots`: starts the four processes; the README's pictures of it come out."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, expect

from tests.e2e.stack import Stack
from tests.web.browser import launched
from tests.web.visit import Visit, visit

DOCS = Path(__file__).parents[2] / "docs"
DESK = {"width": 1280, "height": 800}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 1.5, "has_touch": True}
QUALITY = 76
REAL_MILLISECONDS = 60_000


async def _kept(visitor: Visit, name: str) -> None:
    await visitor.page.screenshot(path=DOCS / f"{name}.jpg", type="jpeg", quality=QUALITY)
    await visitor.context.close()


async def _speaking(visitor: Visit, question: str) -> None:
    """Some words into the answer, the mouth open."""
    await visitor.page.keyboard.press("Escape")
    await visitor.write(question)
    await expect(visitor.stage).to_have_attribute("data-state", "speaking", timeout=REAL_MILLISECONDS)
    await visitor.speaks_past(2.4)


async def _welcomed(browser: Browser, url: str, **options: Any) -> Visit:
    visitor = await visit(browser, url, **options)
    await expect(visitor.page.locator("#idle")).to_have_js_property("readyState", 4)
    return visitor


async def _taken(url: str) -> None:
    async with launched() as browser:
        light = await _welcomed(browser, url, viewport=DESK)
        await _speaking(light, "Tell me about the moon.")
        await _kept(light, "page")
        dark = await _welcomed(browser, url, viewport=DESK, color_scheme="dark")
        await dark.page.get_by_role("button", name="Settings").click()
        await dark.page.get_by_text("Amara", exact=True).click()
        await dark.page.get_by_role("button", name="Done").click()
        await _speaking(dark, "Why is the sky blue?")
        await _kept(dark, "page-dark")
        phone = await _welcomed(browser, url, **PHONE)
        await _speaking(phone, "Tell me about the sea.")
        await _kept(phone, "page-phone")
        chinese = await _welcomed(browser, url, viewport=DESK, locale="zh-CN")
        await chinese.page.get_by_role("button", name="设置").click()
        pictures = chinese.page.locator(".face-tile img")
        await expect(pictures.nth(3)).to_be_visible()
        # Complete is not yet painted: that takes the next frames.
        await pictures.evaluate_all(
            """async images => {
                await Promise.all(images.map(image => image.decode()));
                for (let frame = 0; frame < 10; frame++) await new Promise(requestAnimationFrame);
            }"""
        )
        await _kept(chinese, "page-zh")


def main() -> None:
    """Writes docs/page*.jpg."""
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        try:
            stack.start_all()
            asyncio.run(_taken(stack.url))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
