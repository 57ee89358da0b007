"""What the browser keeps: the conversation, and the place where a reload interrupted the face."""

import asyncio

from playwright.async_api import expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.visit import Visit

KEPT = """JSON.parse(
    localStorage.getItem(Object.keys(localStorage).find((key) => key.startsWith("visavis.conversation.")))
).messages.map(({ text }) => text)"""
MOST_MESSAGES = 200
# The messages go in by the hundred, as no test could write them.
REMEMBER = """async (count) => {
    const { Conversation } = await import("/js/conversation.js");
    const { remember } = await import("/js/keeping/memory.js");
    const conversation = new Conversation();
    await remember(conversation, () => null);
    for (let index = 0; index < count; index += 1) conversation.add("user", `message ${index}`);
    dispatchEvent(new Event("pagehide"));
}"""


async def test_a_reload_keeps_what_was_said(visitor: Visit, stages: FakeStages) -> None:
    await visitor.write("First")
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()
    await visitor.page.keyboard.press("Escape")
    await visitor.page.reload()
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.becomes("idle")
    await visitor.write("Second")
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    said = [message.content for message in stages.text.requests[1].conversation.messages]
    assert said == ["First", REPLY, "Second"]


async def test_a_reload_while_the_answer_is_written_goes_on_with_it(
    visitor: Visit, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    await visitor.write("Tell me about the moon.")
    await expect(visitor.answers).to_have_text("The moon is")
    await visitor.page.reload()
    await expect(visitor.answers).to_have_text("The moon is")
    await expect(visitor.page.get_by_role("button", name="Stop")).to_be_visible()
    gate.set()
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.becomes("speaking")
    assert len(stages.text.requests) == 1


async def test_a_reload_in_mid_sentence_goes_on_where_the_face_was(
    visitor: Visit, stages: FakeStages
) -> None:
    stages.text.reply = f"{REPLY} {REPLY}"
    await visitor.write("Speak")
    await visitor.speaks_past(1.5)
    await visitor.page.reload()
    await visitor.becomes("speaking")
    assert await visitor.seconds_spoken() >= 1.5
    await expect(visitor.page.locator("#captions")).not_to_be_empty()
    await expect(visitor.page.get_by_role("alert")).to_have_count(0)


async def test_a_reply_that_the_server_lost_can_be_asked_for_again(
    visiting: Visiting, stages: FakeStages
) -> None:
    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    visitor = await visiting()
    await visitor.write("Forget me")
    await expect(visitor.answers).to_have_text("The moon is")
    await visitor.page.route("**/v1/replies/*", lambda route: route.fulfill(status=404, json={}))
    await visitor.page.reload()
    await expect(visitor.page.get_by_role("alert")).to_contain_text("The reply was interrupted.")
    await visitor.page.get_by_role("button", name="Try again").click()
    await expect(visitor.answers).to_have_text(REPLY)


async def test_a_new_conversation_is_new_after_a_reload_too(visitor: Visit) -> None:
    await visitor.write("First")
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.page.get_by_role("button", name="New conversation").click()
    await visitor.page.reload()
    await expect(visitor.page.get_by_role("heading", name="Say something.")).to_be_visible()
    await expect(visitor.page.locator(".message")).to_have_count(0)


async def test_the_oldest_messages_give_way(visitor: Visit) -> None:
    await visitor.page.evaluate(REMEMBER, MOST_MESSAGES + 5)
    kept = await visitor.page.evaluate(KEPT)
    assert (len(kept), kept[0], kept[-1]) == (MOST_MESSAGES, "message 5", f"message {MOST_MESSAGES + 4}")
