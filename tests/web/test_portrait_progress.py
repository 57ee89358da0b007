"""How far one's own face is, as a visitor sees it: real shares of the work, the server's words, a way out."""

from __future__ import annotations

import asyncio

from playwright.async_api import FilePayload, Locator, expect
from visavis.rpc.failures import Failure, FailureType

from tests.fakes import fragments
from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.web.visit import Visit

PHOTO = FilePayload(name="Ada.jpg", mimeType="image/jpeg", buffer=fragments.poster())


async def sent_portrait(visitor: Visit) -> Locator:
    """The sheet, its portrait on the way."""
    await visitor.page.get_by_role("button", name="Settings").click()
    await visitor.page.get_by_role("button", name="Your own").click()
    sheet = visitor.page.get_by_role("dialog", name="Your own portrait")
    await sheet.get_by_label("Choose a picture").set_input_files(PHOTO)
    await sheet.get_by_label("I may use this portrait").check()
    await sheet.get_by_role("button", name="Make the face").click()
    return sheet


async def test_the_bar_shows_the_share_of_the_work_that_is_done(visitor: Visit, stages: FakeStages) -> None:
    gate = asyncio.Event()
    # Of the fake's responses: the start and "reading", "face", "mouth", "loop" at 0.3.
    stages.lipsync.builds.plan(Fault(after=5, gate=gate))
    sheet = await sent_portrait(visitor)
    bar = sheet.get_by_role("progressbar", name="Making it move")
    await expect(bar).to_have_attribute("aria-valuenow", "30")
    await expect(sheet.get_by_role("status")).to_contain_text("30 %")
    gate.set()
    await expect(sheet).to_be_hidden()
    await expect(visitor.page.locator("#announcer")).to_have_text("Ada is the face now.")


async def test_who_cancels_ends_the_work(visitor: Visit, stages: FakeStages) -> None:
    stages.lipsync.builds.plan(Fault(after=5, gate=asyncio.Event()))
    sheet = await sent_portrait(visitor)
    await expect(sheet.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "30")
    await sheet.get_by_role("button", name="Cancel").click()
    async with asyncio.timeout(30):
        await stages.lipsync.builds.cut_off.wait()
    await expect(visitor.page.get_by_role("radio", name="Ada")).to_have_count(0)


async def test_a_refusal_in_the_middle_is_shown_in_the_servers_words(
    visitor: Visit, stages: FakeStages
) -> None:
    refusal = Failure(FailureType.INVALID_REQUEST, "The mouth cannot be seen.")
    stages.lipsync.builds.plan(Fault(after=4, failure=refusal))
    sheet = await sent_portrait(visitor)
    await expect(sheet.get_by_role("alert")).to_have_text("The mouth cannot be seen.")
    await expect(sheet.get_by_role("progressbar")).to_be_hidden()
