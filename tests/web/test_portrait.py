"""One's own portrait: taken however people hand over pictures, refused with a reason, worn, removed."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from axe_playwright_python.async_playwright import Axe  # type: ignore[import-untyped]
from playwright.async_api import Browser, FilePayload, Locator, Request, Route, expect

from tests.fakes import clips, portraits, tiny_models
from tests.fakes.lipsync_worker import serving_worker
from tests.fakes.stages import FakeStages
from tests.web.conftest import lined
from tests.web.visit import Visit, visit

BUILDING_MILLISECONDS = 120_000
# The way a browser hands files over is the same for a drop and for a paste.
HAND_OVER = """([kind, type, name, data]) => {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], name, { type }));
    const options = { bubbles: true, cancelable: true, dataTransfer: transfer, clipboardData: transfer };
    const kinds = kind === "drop" ? ["dragenter", "dragover", "drop"] : ["paste"];
    const Kind = kind === "drop" ? DragEvent : ClipboardEvent;
    return kinds.map((each) => document.activeElement.dispatchEvent(new Kind(each, options)));
}"""
NOBODY = portraits.encoded(portraits.covered_mouth())
ADA = portraits.encoded(portraits.face())


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def worker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[str]:
    """A real video worker: one small face, two networks."""
    models = tiny_models.write_tiny_models(tmp_path_factory.mktemp("models"))
    tiny_models.write_tiny_network(models / "networks" / "other")
    async with serving_worker(models) as address:
        yield address


@pytest_asyncio.fixture(loop_scope="session")
async def visitor(browser: Browser, stages: FakeStages, worker: str, tmp_path: Path) -> AsyncIterator[Visit]:
    async with lined(stages, tmp_path, lipsync_target=worker) as line:
        visitor = await visit(browser, line.url)
        yield visitor
        await visitor.context.close()


def _portrait(media_type: str) -> FilePayload:
    kind = media_type.split("/")[1]
    data = clips.clip(clips.swaying(50)) if kind == "mp4" else ADA
    return FilePayload(name=f"Ada.{kind}", mimeType=media_type, buffer=data)


async def _hand_over(visitor: Visit, kind: str, media_type: str, name: str, data: bytes) -> None:
    await visitor.page.evaluate(HAND_OVER, [kind, media_type, name, base64.b64encode(data).decode()])


def _sheet(visitor: Visit) -> Locator:
    return visitor.page.get_by_role("dialog", name="Your own portrait")


def _face(visitor: Visit, name: str) -> Locator:
    return visitor.page.get_by_role("radio", name=name)


async def _held_until(seen: asyncio.Event, route: Route) -> None:
    await seen.wait()
    await route.continue_()


def _body(request: Request) -> dict[str, Any]:
    body: dict[str, Any] = request.post_data_json or {}
    return body


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("media_type", ["image/png", "video/mp4"])
async def test_a_portrait_becomes_the_face_and_can_be_removed(visitor: Visit, media_type: str) -> None:
    page = visitor.page
    await page.get_by_role("button", name="Settings").click()
    await page.get_by_role("button", name="Your own").click()
    sheet = _sheet(visitor)
    await sheet.get_by_label("Choose a picture").set_input_files(_portrait(media_type))
    await expect(sheet.get_by_label("Name")).to_have_value("Ada")
    await sheet.get_by_label("I may use this portrait").check()
    seen = asyncio.Event()
    await page.route("**/v1/avatars", partial(_held_until, seen))
    await sheet.get_by_role("button", name="Make the face").click()
    await expect(sheet.get_by_role("status")).to_contain_text("The face is being made")
    seen.set()
    await expect(sheet.get_by_role("progressbar", name="Making it move")).to_be_visible(
        timeout=BUILDING_MILLISECONDS
    )
    await expect(sheet).to_be_hidden(timeout=BUILDING_MILLISECONDS)
    await expect(page.locator("#announcer")).to_have_text("Ada is the face now.")
    idle = page.locator("#idle")
    await expect(idle).to_have_js_property("videoWidth", 512)
    async with page.expect_request("**/v1/replies") as request:
        await visitor.write("Speak with her mouth")
    assert _body(await request.value)["avatar"] == "ada"
    await visitor.becomes("speaking")
    assert await page.locator("#speech").evaluate("video => video.videoWidth") == 512
    await page.keyboard.press("Escape")

    await page.reload()
    await page.get_by_role("button", name="Settings").click()
    await expect(_face(visitor, "Ada")).to_be_checked()
    await page.get_by_role("button", name="Remove Ada").click()
    await page.get_by_role("button", name="Press again to remove Ada for good").click()
    await expect(_face(visitor, "Ada")).to_have_count(0)
    await expect(_face(visitor, "Dot")).to_be_checked()
    await expect(idle).to_have_js_property("videoWidth", tiny_models.WIDTH_PX)


async def test_a_dropped_portrait_that_cannot_speak_is_refused_in_the_servers_words(visitor: Visit) -> None:
    await _hand_over(visitor, "drop", "image/png", "Masked.png", NOBODY)
    sheet = _sheet(visitor)
    await expect(sheet.locator("#portrait-picture")).to_have_js_property("naturalWidth", 512)
    make = sheet.get_by_role("button", name="Make the face")
    await make.click()
    # The browser itself asks for the tick; nothing has been sent.
    assert await sheet.get_by_label("I may use").evaluate("box => box.validity.valueMissing")
    await sheet.get_by_label("I may use").check()
    await make.click()
    await expect(sheet.get_by_role("alert")).to_contain_text("The mouth cannot be seen")
    assert (await Axe().run(visitor.page)).response["violations"] == []
    await sheet.get_by_role("button", name="Cancel").click()
    await expect(_face(visitor, "Masked")).to_have_count(0)


async def test_a_refusal_is_not_behind_the_buttons_of_a_small_screen(visitor: Visit) -> None:
    await visitor.page.set_viewport_size({"width": 360, "height": 640})
    await _hand_over(visitor, "drop", "image/png", "Nobody.png", b"no image")
    sheet = _sheet(visitor)
    await sheet.get_by_label("I may use").check()
    await sheet.get_by_role("button", name="Make the face").click()
    refusal = sheet.get_by_role("alert")
    await expect(refusal).to_contain_text("not a JPEG, PNG or WebP")
    lowest = """element => {
        const { left, bottom } = element.getBoundingClientRect();
        return document.elementFromPoint(left + 20, bottom - 3) === element;
    }"""
    assert await refusal.evaluate(lowest)


async def test_a_pasted_picture_opens_the_sheet_and_a_clip_is_left_to_the_server(visitor: Visit) -> None:
    await _hand_over(visitor, "paste", "image/png", "image.png", ADA)
    sheet = _sheet(visitor)
    await expect(sheet).to_be_visible()
    await expect(sheet.get_by_label("Name")).to_have_value("")
    await _hand_over(visitor, "paste", "video/x-unheard-of", "Clip.xyz", b"no clip")
    await expect(sheet.locator("#portrait-clip")).to_be_visible()
    await sheet.get_by_label("I may use").check()
    await sheet.get_by_role("button", name="Make the face").click()
    await expect(sheet.get_by_role("alert")).not_to_be_empty()


async def test_one_network_of_several_can_be_chosen(visitor: Visit) -> None:
    await visitor.page.get_by_role("button", name="Settings").click()
    await visitor.page.get_by_text("More", exact=True).click()
    networks = visitor.page.get_by_role("combobox", name="Lip-sync network")
    await expect(networks.get_by_role("option")).to_have_text(["Default", "tiny", "other"])
    await networks.select_option("other")
    await visitor.page.get_by_role("button", name="Done").click()
    async with visitor.page.expect_request("**/v1/replies") as request:
        await visitor.write("With other lips")
    assert _body(await request.value)["network"] == "other"
    await visitor.becomes("speaking")
