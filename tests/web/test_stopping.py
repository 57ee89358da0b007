"""Stopping: at once for the eye and the ear, and for the servers too."""

import asyncio

from playwright.async_api import expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.visit import Visit


async def test_the_stop_button_stops_the_work(visitor: Visit, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    await visitor.write("Go on for ever")
    await expect(visitor.answers).to_have_text("The moon is")
    await visitor.page.get_by_role("button", name="Stop").click()
    await expect(visitor.page.get_by_text("Stopped")).to_be_visible()
    await visitor.becomes("idle")
    await stages.text.faults.cut_off.wait()
    await expect(visitor.page.get_by_role("button", name="Send")).to_be_visible()


async def test_escape_stops_the_face_in_the_middle_of_a_word(visitor: Visit, stages: FakeStages) -> None:
    stages.lipsync.faults.plan(Fault(after=4, gate=asyncio.Event()))
    await visitor.write("Speak")
    await visitor.becomes("speaking")
    await visitor.page.keyboard.press("Escape")
    await visitor.becomes("idle")
    await expect(visitor.page.locator("#speech")).not_to_have_attribute("src", "blob:")
    await stages.lipsync.faults.cut_off.wait()
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()


async def test_what_was_said_before_the_stop_is_history(visitor: Visit, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    await visitor.write("Go on")
    await expect(visitor.answers).to_have_text("The moon is")
    await visitor.page.keyboard.press("Escape")
    await visitor.write("And now?")
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    said = [message.content for message in stages.text.requests[1].conversation.messages]
    assert said == ["Go on", "The moon is ", "And now?"]


async def test_hushing_a_finished_reply_keeps_its_video(visitor: Visit) -> None:
    async with visitor.page.expect_response("**/v1/replies") as answer:
        await visitor.write("Speak")
    video_url = (await (await answer.value).json())["video_url"]
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()
    await visitor.becomes("speaking")
    await visitor.page.get_by_role("button", name="Stop").click()
    await visitor.becomes("idle")
    assert await visitor.page.evaluate("url => fetch(url).then((answer) => answer.status)", video_url) == 200
