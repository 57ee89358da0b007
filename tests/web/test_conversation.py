"""What is typed and what is shown."""

import asyncio

from playwright.async_api import expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.visit import Visit

INERT = '<img src=x onerror="document.title=1"><script>document.title=2</script> & <b>words</b>'


async def test_the_answer_types_itself_out_while_it_is_written(visitor: Visit, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    await visitor.write("Tell me about the moon.")
    await expect(visitor.answers).to_have_text("The moon is")
    await expect(visitor.page.get_by_role("button", name="Stop")).to_be_visible()
    gate.set()
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(visitor.page.get_by_role("status")).to_have_text(REPLY)


async def test_enter_sends_and_shift_enter_makes_a_new_line(visitor: Visit, stages: FakeStages) -> None:
    field = visitor.page.get_by_label("Your message")
    await field.type("One")
    await field.press("Shift+Enter")
    await field.type("Two")
    await field.press("Enter")
    await expect(field).to_have_value("")
    await expect(visitor.answers).to_have_text(REPLY)
    assert [message.content for message in stages.text.requests[0].conversation.messages] == ["One\nTwo"]


async def test_an_input_method_keeps_its_enter(visitor: Visit, stages: FakeStages) -> None:
    field = visitor.page.get_by_label("Your message")
    await field.fill("ni")
    await field.dispatch_event("keydown", {"key": "Enter", "isComposing": True})
    await expect(field).to_have_value("ni")
    assert stages.text.requests == []


async def test_what_was_said_goes_along_as_history(visitor: Visit, stages: FakeStages) -> None:
    await visitor.write("First")
    await expect(visitor.page.get_by_role("button", name="Stop")).to_be_visible()
    await visitor.becomes("speaking")
    await visitor.becomes("idle")
    await visitor.write("Second")
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    said = [message.content for message in stages.text.requests[1].conversation.messages]
    assert said == ["First", REPLY, "Second"]


async def test_a_new_conversation_starts_from_nothing(visitor: Visit, stages: FakeStages) -> None:
    await visitor.write("First")
    await visitor.becomes("speaking")
    await visitor.page.get_by_role("button", name="New conversation").click()
    await expect(visitor.page.locator(".message")).to_have_count(0)
    await visitor.becomes("idle")
    await visitor.write("Afresh")
    await expect(visitor.answers).to_have_text(REPLY)
    assert [message.content for message in stages.text.requests[-1].conversation.messages] == ["Afresh"]


async def test_markup_from_either_side_stays_words(visitor: Visit, stages: FakeStages) -> None:
    stages.text.reply = INERT
    title = await visitor.page.title()
    await visitor.write(INERT)
    await expect(visitor.answers).to_have_text(INERT)
    await expect(visitor.page.locator(".message.user .prose")).to_have_text(INERT)
    await visitor.becomes("speaking")
    assert await visitor.page.locator(".messages img, .messages script, .messages b").count() == 0
    assert await visitor.page.title() == title


async def test_fenced_code_is_shown_as_code(visitor: Visit, stages: FakeStages) -> None:
    stages.text.reply = "Look:\n\n```python\nprint('<moon>')\n```\n\nIt is `short` and **good**."
    await visitor.write("Show me code")
    await expect(visitor.answers.locator("figure.code pre code")).to_have_text("print('<moon>')")
    await expect(visitor.answers.locator("figcaption")).to_have_text("python")
    await expect(visitor.answers.locator("p code")).to_have_text("short")
    await expect(visitor.answers.locator("strong")).to_have_text("good")


async def test_a_suggestion_is_sent_with_one_click(visitor: Visit, stages: FakeStages) -> None:
    await visitor.page.get_by_role("button", name="Tell me about the moon.").click()
    await expect(visitor.answers).to_have_text(REPLY)
    assert len(stages.text.requests) == 1
