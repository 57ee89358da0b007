"""How it meets people: their screens, their light, their language, and an honest word about itself."""

import pytest
from playwright.async_api import expect
from visavis.rpc.failures import FailureType

from tests.fakes.stages import FakeStages
from tests.web.conftest import Visiting
from tests.web.visit import Visit

ENDLESS_WORD = "moon" * 60


@pytest.mark.parametrize(("width", "height"), [(360, 640), (390, 844), (844, 390), (1360, 860)])
async def test_nothing_sticks_out_sideways(
    visiting: Visiting, stages: FakeStages, width: int, height: int
) -> None:
    stages.text.reply = f"{ENDLESS_WORD}.\n\n```\n{ENDLESS_WORD}\n```\n"
    visitor = await visiting(viewport={"width": width, "height": height})
    await visitor.write(ENDLESS_WORD)
    await expect(visitor.answers.locator("figure.code")).to_be_visible()
    page_width = "Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)"
    assert await visitor.page.evaluate(page_width) == width
    await expect(visitor.page.get_by_label("Your message")).to_be_in_viewport(ratio=1)


async def test_a_phone_on_its_side_shows_the_words_beside_the_face(visiting: Visiting) -> None:
    visitor = await visiting(viewport={"width": 844, "height": 390})
    await visitor.write("Speak")
    await visitor.becomes("speaking")
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()
    face, words = [
        await place.evaluate("element => element.getBoundingClientRect().toJSON()")
        for place in (visitor.stage, visitor.page.locator("#transcript"))
    ]
    assert face["right"] <= words["left"]
    assert words["height"] > 150


async def test_the_page_speaks_chinese_to_those_who_do(visiting: Visiting) -> None:
    visitor = await visiting(locale="zh-CN")
    await expect(visitor.page.get_by_role("heading", name="说点什么，让一张面孔回答你。")).to_be_visible()
    await expect(visitor.page.get_by_label("你的消息")).to_be_visible()
    await expect(visitor.page.locator("html")).to_have_attribute("lang", "zh-CN")
    await expect(visitor.page.locator("#notice")).to_contain_text("由机器生成")
    assert visitor.complaints == []


async def test_both_languages_say_everything(visitor: Visit) -> None:
    english, chinese = await visitor.page.evaluate(
        """() => Promise.all(["en", "zh"].map(async (name) => {
            const words = (await import(`/js/i18n/${name}.js`)).default;
            return [...Object.keys(words), ...Object.keys(words.problem)].sort();
        }))"""
    )
    assert english == chinese


async def test_every_failure_has_a_sentence(visitor: Visit) -> None:
    told = await visitor.page.evaluate("import('/js/i18n/en.js').then((words) => words.default.problem)")
    assert {type_.value for type_ in FailureType} <= set(told)


async def test_a_dark_room_gets_a_dark_page(visiting: Visiting) -> None:
    paper = "getComputedStyle(document.documentElement).getPropertyValue('--paper')"
    lightness = f"parseInt({paper}.slice(1, 3), 16)"
    bright = await visiting(color_scheme="light")
    dark = await visiting(color_scheme="dark")
    assert await bright.page.evaluate(lightness) > 200
    assert await dark.page.evaluate(lightness) < 50


async def test_those_who_want_no_motion_get_none(visiting: Visiting) -> None:
    visitor = await visiting(reduced_motion="reduce")
    idle = visitor.page.locator("#idle")
    await expect(idle).to_have_js_property("readyState", 4)
    assert await idle.evaluate("video => video.paused")
    await visitor.write("Speak")
    await visitor.becomes("speaking")
    await visitor.becomes("idle")
    assert await idle.evaluate("video => video.paused")


async def test_the_page_says_what_it_is(visitor: Visit) -> None:
    notice = visitor.page.locator("#notice")
    await expect(notice).to_contain_text("Face and voice are made by a machine.")
    await expect(notice).to_contain_text("tiny")
    await expect(notice).to_contain_text("a tiny demo model, often wrong")


async def test_settings_offer_what_the_server_has(visitor: Visit, stages: FakeStages) -> None:
    await visitor.page.get_by_role("button", name="Settings").click()
    await expect(visitor.page.get_by_role("radio", name="Grey")).to_be_checked()
    await visitor.page.get_by_label("Spoken language").select_option("en")
    voice = visitor.page.get_by_role("combobox", name="Voice")
    await expect(voice.get_by_role("option")).to_have_text(["The language’s own", "Hum-En"])
    await voice.select_option("hum-en")
    await visitor.page.keyboard.press("Escape")
    await visitor.page.reload()
    await visitor.write("In my voice")
    await visitor.becomes("speaking")
    assert stages.tts.requests[0].voice == "hum-en"


async def test_the_page_waits_for_a_server_that_starts(visiting: Visiting, stages: FakeStages) -> None:
    await stages.text_server.stop()
    visitor = await visiting()
    await expect(visitor.page.locator("#notice")).to_have_text("The server is starting…")
    await stages.text_server.start()
    await expect(visitor.page.locator("#notice")).to_contain_text("tiny")
