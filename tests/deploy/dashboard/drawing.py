"""Panels with their data go in, a picture of Grafana's own panels comes out. Needs Chromium."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.async_api import expect

from tests.web.browser import launched

WIDTH = 1600
QUALITY = 80
# A panel without data has no canvas.
PATIENCE_MILLISECONDS = 60_000
_DOCUMENT = """<!doctype html><meta charset="utf-8"><link rel="stylesheet" href="page.css">
<style>body {{ background: #111217; }} .no-data {{ margin: auto; }}</style>
<div id="dashboard"></div><script>var shown = {shown}</script><script src="page.js"></script>"""


async def draw(panels: list[dict[str, Any]], start: float, end: float, folder: Path, picture: Path) -> None:
    """Writes a JPEG of the time from `start` to `end` (Unix seconds); `folder` holds page.js."""
    shown = {"from": start, "to": end, "width": WIDTH, "panels": panels}
    (folder / "page.html").write_text(_DOCUMENT.format(shown=json.dumps(shown).replace("<", "\\u003c")))
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    async with launched() as browser:
        page = await browser.new_page(viewport={"width": WIDTH, "height": rows * 38 + 8})
        await page.goto((folder / "page.html").as_uri())
        await expect(page.locator("canvas")).to_have_count(
            sum(panel["type"] == "timeseries" for panel in panels), timeout=PATIENCE_MILLISECONDS
        )
        await page.evaluate("document.fonts.ready")
        await page.screenshot(path=picture, type="jpeg", quality=QUALITY)
