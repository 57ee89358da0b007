"""What can be done with a message: leave it out, correct it, copy it, watch it again, keep it."""

from pathlib import Path

from playwright.async_api import expect

from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.visit import Visit


def _said(stages: FakeStages) -> list[str]:
    return [message.content for message in stages.text.requests[-1].conversation.messages]


async def test_a_message_that_is_left_out_is_not_sent_along(visitor: Visit, stages: FakeStages) -> None:
    await visitor.answered("First")
    every = visitor.page.get_by_role("checkbox", name="Sent along: 2 of 2")
    await expect(every).to_be_checked()
    await visitor.page.locator(".message.user").get_by_role("checkbox").uncheck()
    some = visitor.page.get_by_role("checkbox", name="Sent along: 1 of 2")
    await expect(some).to_have_js_property("indeterminate", value=True)
    await visitor.write("Second")
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    assert _said(stages) == [REPLY, "Second"]


async def test_one_box_leaves_out_everything_and_takes_it_back(visitor: Visit, stages: FakeStages) -> None:
    await visitor.answered("First")
    await visitor.page.locator("#include-all").uncheck()
    await expect(visitor.page.locator(".message.left-out")).to_have_count(2)
    await visitor.answered("Alone")
    assert _said(stages) == ["Alone"]
    await visitor.page.locator("#include-all").check()
    await visitor.write("Together")
    await expect(visitor.answers.nth(2)).to_have_text(REPLY)
    assert _said(stages) == ["First", REPLY, "Alone", REPLY, "Together"]


async def test_a_corrected_question_is_asked_again(visitor: Visit, stages: FakeStages) -> None:
    await visitor.answered("First")
    await visitor.answered("Secnod")
    question = visitor.page.locator(".message.user").nth(1)
    await question.get_by_role("button", name="Edit and ask again").click()
    field = question.get_by_role("textbox")
    await expect(field).to_be_focused()
    await field.fill("Second")
    await field.press("Enter")
    await expect(visitor.page.locator(".message")).to_have_count(4)
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    assert _said(stages) == ["First", REPLY, "Second"]


async def test_an_answer_that_was_cut_says_so_and_still_does_after_a_reload(
    visitor: Visit, stages: FakeStages
) -> None:
    said = visitor.page.get_by_text("Cut off: the answer reached its greatest length.")
    await visitor.answered("First")
    await expect(said).to_have_count(0)
    stages.text.finish_reason = "length"
    await visitor.answered("Second")
    await expect(said).to_be_visible()
    await visitor.page.reload()
    await expect(visitor.page.locator(".message.assistant").nth(1)).to_contain_text("Cut off")


async def test_escape_leaves_the_question_as_it_was(visitor: Visit, stages: FakeStages) -> None:
    await visitor.answered("First")
    question = visitor.page.locator(".message.user")
    edit = question.get_by_role("button", name="Edit and ask again")
    await edit.click()
    await question.get_by_role("textbox").fill("Other words")
    await visitor.page.keyboard.press("Escape")
    await expect(question.locator(".prose")).to_have_text("First")
    await expect(edit).to_be_focused()
    assert len(stages.text.requests) == 1


async def test_an_earlier_answer_can_be_watched_again(visitor: Visit, stages: FakeStages) -> None:
    await visitor.answered("First")
    await visitor.answered("Second")
    again = visitor.page.locator(".message.assistant").first.get_by_role("button", name="Watch again")
    await again.click()
    await visitor.becomes("speaking")
    await expect(visitor.page.locator("#captions")).to_contain_text("The moon is a rock.")
    await visitor.becomes("idle")
    assert len(stages.text.requests) == 2
    await again.click()
    await visitor.becomes("speaking")
    await visitor.page.keyboard.press("Escape")
    await visitor.becomes("idle")


async def test_a_video_that_is_not_kept_any_more_is_said_so(visiting: Visiting) -> None:
    visitor = await visiting()
    url = await visitor.answered("First")
    assert (await visitor.context.request.delete(f"{visitor.page.url}{url[1:]}")).status == 204
    again = visitor.page.get_by_role("button", name="Watch again")
    await again.click()
    await expect(visitor.page.get_by_text("The video is not kept any more.")).to_be_visible()
    await expect(again).to_be_hidden()
    await visitor.becomes("idle")


async def test_the_video_can_be_downloaded(visitor: Visit, tmp_path: Path) -> None:
    await visitor.answered("First")
    async with visitor.page.expect_download() as download:
        await visitor.page.get_by_role("link", name="Download the video").click()
    file = tmp_path / "video.mp4"
    await (await download.value).save_as(file)
    assert file.read_bytes()[4:8] == b"ftyp"


async def test_the_conversation_can_be_saved(visitor: Visit, tmp_path: Path) -> None:
    await visitor.answered("First")
    async with visitor.page.expect_download() as download:
        await visitor.page.get_by_role("button", name="Save the conversation as a file").click()
    file = tmp_path / (await download.value).suggested_filename
    await (await download.value).save_as(file)
    assert file.suffix == ".md"
    assert file.read_text() == f"**You said:**\n\nFirst\n\n**The face said:**\n\n{REPLY}\n"


async def test_an_answer_can_be_copied(visiting: Visiting) -> None:
    visitor = await visiting(permissions=["clipboard-read", "clipboard-write"])
    await visitor.answered("First")
    await visitor.page.locator(".message.assistant").get_by_role("button", name="Copy").click()
    await expect(visitor.page.get_by_role("button", name="Copied")).to_be_visible()
    assert await visitor.page.evaluate("navigator.clipboard.readText()") == REPLY


async def test_an_answer_can_be_copied_without_a_clipboard_of_the_pages_own(visiting: Visiting) -> None:
    visitor = await visiting(permissions=["clipboard-read", "clipboard-write"])
    await visitor.context.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', { value: undefined })"
    )
    await visitor.page.reload()
    await visitor.answered("First")
    await visitor.page.locator(".message.assistant").get_by_role("button", name="Copy").click()
    field = visitor.page.get_by_label("Your message")
    await field.press("Control+V")
    await expect(field).to_have_value(REPLY)
