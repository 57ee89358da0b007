"""For everyone: what axe finds (nothing), a keyboard from end to end, and a page that is there at once."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import expect

from tests.fakes.stages import FakeStages
from tests.web.conftest import Visiting
from tests.web.visit import Visit

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
RICH = "## Moons\n\n- Io\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n```python\npass\n```\n\n> See [more](https://a.org)."
FIRST_PAINT = """new Promise((resolve) => new PerformanceObserver((list) => {
    const paint = list.getEntries().find(({ name }) => name === "first-contentful-paint");
    if (paint) resolve(paint.startTime);
}).observe({ type: "paint", buffered: true }))"""


async def _flaws(visitor: Visit) -> list[tuple[str, str]]:
    results = await Axe().run(visitor.page, options=WCAG)
    violations: list[dict[str, Any]] = results.response["violations"]
    return [(flaw["id"], node["html"]) for flaw in violations for node in flaw["nodes"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing(visiting: Visiting, stages: FakeStages, scheme: str) -> None:
    visitor = await visiting(color_scheme=scheme, reduced_motion="reduce")
    await expect(visitor.page.locator("#notice")).to_contain_text("tiny")
    assert await _flaws(visitor) == []
    stages.text.reply = RICH
    await visitor.answered("First")
    await visitor.page.locator("#include-all").uncheck()
    assert await _flaws(visitor) == []
    await visitor.page.get_by_role("button", name="Edit and ask again").click()
    assert await _flaws(visitor) == []
    await visitor.page.get_by_role("button", name="Settings").click()
    await visitor.page.get_by_text("More", exact=True).click()
    assert await _flaws(visitor) == []


async def test_axe_finds_nothing_on_a_phone_in_chinese(visiting: Visiting) -> None:
    visitor = await visiting(locale="zh-CN", viewport={"width": 360, "height": 640}, reduced_motion="reduce")
    await visitor.page.get_by_label("你的消息").fill("月亮有多远？")
    await visitor.page.keyboard.press("Enter")
    await visitor.becomes("speaking")
    assert await _flaws(visitor) == []


async def test_whoever_points_at_a_drawing_reads_what_it_is_for(visitor: Visit) -> None:
    await visitor.answered("Draw everything")
    nameless = "buttons => buttons.filter(button => !button.innerText.trim() && !button.title).length"
    assert await visitor.page.locator("button:visible").evaluate_all(nameless) == 0


async def test_the_keyboard_is_enough(visitor: Visit) -> None:
    page = visitor.page
    await expect(page.get_by_label("Your message")).to_be_focused()
    await page.keyboard.type("By keys alone")
    await page.keyboard.press("Enter")
    await visitor.becomes("speaking")
    await page.keyboard.press("Escape")
    await visitor.becomes("idle")
    await page.get_by_role("button", name="Settings").press("Enter")
    await expect(page.get_by_role("radio", name="Grey")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name="Settings")).to_be_focused()


async def test_the_page_is_there_within_a_second(visitor: Visit) -> None:
    """The browser's own measure; most of it is this machine's, so the best of three visits counts."""
    paints = []
    for _ in range(3):
        await visitor.page.reload()
        paints.append(float(await visitor.page.evaluate(FIRST_PAINT)))
    assert min(paints) < 1000
