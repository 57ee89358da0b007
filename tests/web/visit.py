"""An address goes in, a visitor's view of the page comes out, with every complaint of the browser."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Locator, Page, expect

expect.set_options(timeout=30_000)


class Visit:
    """One visitor with one tab. `complaints`: console errors, warnings, CSP violations, uncaught errors."""

    def __init__(self, context: BrowserContext, page: Page) -> None:
        self.context = context
        self.page = page
        self.complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"uncaught: {error}"))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.type}: {message.text}")

    async def write(self, text: str) -> None:
        """Types a message and sends it with Enter."""
        field = self.page.get_by_label("Your message")
        await field.fill(text)
        await field.press("Enter")

    async def answered(self, text: str) -> str:
        """Asks, waits until the reply is complete, and lets the face fall silent; the reply's URL."""
        async with self.page.expect_response("**/v1/replies") as answer:
            await self.write(text)
        await expect(self.page.locator(".message.assistant").last.locator(".actions")).to_be_visible()
        await self.page.keyboard.press("Escape")
        await self.becomes("idle")
        return str((await (await answer.value).json())["url"])

    @property
    def answers(self) -> Locator:
        """What the face has written, oldest first."""
        return self.page.locator(".message.assistant .prose")

    @property
    def stage(self) -> Locator:
        """The face; its data-state is idle, thinking or speaking."""
        return self.page.locator("#stage")

    async def becomes(self, state: str) -> None:
        """Waits until the face is idle, thinking or speaking."""
        await expect(self.stage).to_have_attribute("data-state", state)

    async def seconds_spoken(self) -> float:
        """Where the speech video stands."""
        return float(await self.page.locator("#speech").evaluate("video => video.currentTime"))

    async def speaks_past(self, seconds: float) -> None:
        """Waits until the speech video has played beyond that second."""
        await self.page.locator("#speech").evaluate(
            """(video, seconds) => new Promise((resolve) => {
                const check = () => video.currentTime > seconds && resolve();
                video.addEventListener("timeupdate", check);
                check();
            })""",
            seconds,
        )


async def visit(browser: Browser, url: str, **context_options: Any) -> Visit:
    """Opens the page in a fresh, English-speaking tab."""
    context = await browser.new_context(**{"locale": "en-US"} | context_options)
    visitor = Visit(context, await context.new_page())
    await visitor.page.goto(url)
    return visitor
