"""The API's viewer: readable without any other host, under its own strict policy."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from playwright.async_api import expect

from gateway.http.viewer import VIEWER_FOLDER
from tests.fakes.served_gateway import served_gateway
from tests.fakes.stages import fake_stages
from tests.web.browser import launched

PATIENCE_MILLISECONDS = 120_000


@pytest.mark.timeout(300)
async def test_the_description_can_be_read_and_tried_without_another_host(tmp_path: Path) -> None:
    async with (
        fake_stages() as stages,
        served_gateway(stages, tmp_path) as gateway,
        launched() as browser,
    ):
        page = await browser.new_page()
        page.set_default_timeout(PATIENCE_MILLISECONDS)
        complaints: list[str] = []
        hosts: set[str] = set()
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
        await page.goto(f"{gateway.http.base_url}/docs")
        for words in ("Ask for a reply", "Follow a reply's events", "See whether replies are taken"):
            await expect(page.get_by_text(words, exact=True)).to_be_visible(timeout=PATIENCE_MILLISECONDS)
        await page.get_by_text("Ask for a reply", exact=True).click()
        await page.get_by_role("button", name="Execute").click()
        answer = page.locator(".live-responses-table .response-col_status")
        await expect(answer.filter(has_text="202")).to_be_visible(timeout=PATIENCE_MILLISECONDS)
        assert complaints == []
        assert hosts == {str(gateway.http.base_url).removeprefix("http://")}


async def test_the_viewers_policy_allows_nothing_inline(tmp_path: Path) -> None:
    async with fake_stages() as stages, served_gateway(stages, tmp_path) as gateway:
        page = await gateway.http.get("/docs", follow_redirects=True)
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        missing = await gateway.http.get("/docs/nothing.js")
        assert missing.json()["type"] == "not-found"


def test_the_viewer_is_what_its_maker_published() -> None:
    library = json.loads((VIEWER_FOLDER / "manifest.json").read_text())["swagger-ui"]
    folder = VIEWER_FOLDER / "swagger-ui"
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}
    assert found == library["files"]
