"""The face: it speaks, it rests, and nothing shows where the one becomes the other."""

import asyncio
import re

import pytest
from playwright.async_api import Route, expect

from tests.fakes.faults import Fault
from tests.fakes.speech_stage import SECONDS_PER_CHARACTER
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.visit import Visit

IDLE_SECONDS = 0.96
WORDS_AS_THEY_ARE_LIT = """() => {
    const [captions, speech] = ["captions", "speech"].map((id) => document.getElementById(id));
    const lit = [];
    new MutationObserver((changes) => {
        for (const { target } of changes)
            if (target.matches(".is-said")) lit.push([target.textContent.trim(), speech.currentTime]);
    }).observe(captions, { subtree: true, attributeFilter: ["class"] });
    return lit;
}"""
LONGEST_CROSSFADE_SECONDS = 0.15
# HTMLMediaElement.HAVE_CURRENT_DATA
HAVE_A_PICTURE = 2
# Playwright's own looks into a page count as clicks; what the page says on the console does not need one.
SPEAK_WITHOUT_A_CLICK = """
document.addEventListener("volumechange", () => console.info("muted"), { capture: true });
addEventListener("load", () => setTimeout(() => {
    document.getElementById("message").value = "Nobody clicked.";
    document.getElementById("composer").requestSubmit();
}, 300));
"""


async def test_the_face_speaks_in_one_piece_and_then_listens_again(visitor: Visit) -> None:
    speech = visitor.page.locator("#speech")
    played = await speech.evaluate_handle(
        """video => ({
            end: new Promise((resolve) => video.addEventListener(
                "ended", () => resolve([video.currentTime, video.duration, video.buffered.length])
            )),
        })"""
    )
    await visitor.write("Speak")
    await visitor.becomes("thinking")
    await visitor.becomes("speaking")
    await visitor.speaks_past(0.5)
    assert await speech.evaluate("video => [video.muted, video.paused]") == [False, False]
    seconds, duration, pieces = await played.evaluate("({ end }) => end")
    assert pieces == 1
    assert seconds == pytest.approx(duration)
    assert seconds > len(REPLY) * SECONDS_PER_CHARACTER
    await visitor.becomes("idle")
    await expect(speech).not_to_have_class("layer speech is-shown")


async def test_the_idle_loop_goes_on_where_the_speech_ended(visitor: Visit) -> None:
    poses = await visitor.page.evaluate_handle(
        """() => {
            const [idle, speech] = ["idle", "speech"].map((id) => document.getElementById(id));
            const place = new Promise((resolve) => speech.addEventListener("ended", () => {
                const seconds = () => resolve([speech.currentTime, idle.currentTime]);
                idle.addEventListener("seeked", seconds, { once: true });
            }));
            return { place };
        }"""
    )
    await visitor.write("Speak")
    spoken, taken_up = await poses.evaluate("({ place }) => place")
    assert taken_up == pytest.approx(spoken % IDLE_SECONDS, abs=0.04)


async def test_the_face_never_leaves_the_stage(visitor: Visit) -> None:
    """The idle picture stays whole under the speech, which fades fast: there is nothing black to be seen."""
    fade = await visitor.page.locator("#speech").evaluate(
        "video => getComputedStyle(video).transitionDuration"
    )
    assert 0 < float(fade.removesuffix("s")) <= LONGEST_CROSSFADE_SECONDS
    await visitor.write("Speak")
    await visitor.becomes("speaking")
    idle = visitor.page.locator("#idle")
    assert await idle.evaluate("video => [getComputedStyle(video).opacity, video.readyState >= 2]") == [
        "1",
        True,
    ]


async def test_a_reply_that_falls_behind_holds_its_last_picture(visitor: Visit, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=3, gate=gate))
    await visitor.write("Speak slowly")
    await visitor.becomes("speaking")
    speech = visitor.page.locator("#speech")
    await speech.evaluate("video => video.paused || new Promise((held) => (video.onpause = held))")
    await visitor.becomes("speaking")
    assert await speech.evaluate("video => getComputedStyle(video).opacity") == "1"
    gate.set()
    await visitor.speaks_past(1.5)
    await visitor.becomes("idle")


async def test_captions_follow_the_words(visitor: Visit) -> None:
    await visitor.write("Speak")
    await visitor.speaks_past(0.4)
    captions = visitor.page.locator("#captions")
    await expect(captions).to_contain_text("The moon is a rock.")
    await expect(captions.locator(".is-said").first).to_have_text("The ")
    await expect(captions).to_contain_text("It shines at night.")
    await visitor.becomes("idle")
    await expect(captions).to_be_empty()


async def test_a_caption_is_lit_word_by_word_and_never_before_its_sound(visitor: Visit) -> None:
    lit = await visitor.page.evaluate_handle(WORDS_AS_THEY_ARE_LIT)
    async with visitor.page.expect_response("**/v1/replies") as asked:
        await visitor.write("Speak")
    await visitor.becomes("speaking")
    await visitor.becomes("idle")
    reply = await visitor.context.request.get(
        f"{visitor.page.url}{(await (await asked.value).json())['url'][1:]}"
    )
    spoken = [word for utterance in (await reply.json())["utterances"] for word in utterance["words"]]
    # A machine that is slow to draw may skip a word; none comes early or out of turn.
    spoken_in_turn = iter(spoken)
    for text, at in await lit.json_value():
        assert at >= next(word["start_seconds"] for word in spoken_in_turn if word["text"] == text)
    assert len(list(spoken_in_turn)) < len(spoken)


async def test_progress_is_shown_until_it_is_done(visitor: Visit, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=1, gate=gate))
    await visitor.write("Speak")
    bar = visitor.page.get_by_role("progressbar")
    await expect(bar).to_be_visible()
    await expect(visitor.page.get_by_text("Moving the lips")).to_be_visible()
    await expect(visitor.page.locator("#progress-seconds")).to_have_text(re.compile(r"about \d+ s left"))
    gate.set()
    await expect(bar).to_be_hidden()


async def test_a_browser_that_wants_a_tap_gets_a_button(visiting: Visiting) -> None:
    visitor = await visiting()
    await visitor.context.add_init_script(SPEAK_WITHOUT_A_CLICK)
    async with visitor.page.expect_console_message(lambda message: message.text == "muted"):
        await visitor.page.reload()
    button = visitor.page.get_by_role("button", name="Tap to hear")
    await expect(button).to_be_visible()
    await visitor.speaks_past(0.1)
    await button.click()
    await expect(button).to_be_hidden()
    assert await visitor.page.locator("#speech").evaluate("video => video.muted") is False


async def test_a_muted_face_stays_muted(visitor: Visit) -> None:
    button = visitor.page.get_by_role("button", name="Mute the voice")
    await button.click()
    await visitor.page.reload()
    await expect(button).to_have_attribute("aria-pressed", "true")
    await visitor.write("Speak")
    await visitor.speaks_past(0.1)
    assert await visitor.page.locator("#speech").evaluate("video => video.muted") is True


async def test_without_video_only_text_is_asked_for(visitor: Visit, stages: FakeStages) -> None:
    await visitor.page.get_by_role("button", name="Settings").click()
    await visitor.page.get_by_role("switch", name="Speak with face and voice").uncheck()
    await visitor.page.get_by_role("button", name="Done").click()
    await expect(visitor.stage).to_be_hidden()
    await visitor.write("Just write")
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(visitor.page.get_by_role("button", name="Send")).to_be_visible()
    assert (stages.tts.requests, stages.lipsync.starts) == ([], [])


async def test_a_fragment_that_cannot_be_played_is_said_so(visiting: Visiting, stages: FakeStages) -> None:
    visitor = await visiting()
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=8, gate=gate))

    async def rubbish(route: Route) -> None:
        await route.fulfill(body=b"\x00\x00\x00\x10moofrubbish!" * 20)

    await visitor.page.route("**/0.m4s", rubbish)
    await visitor.write("Speak")
    await expect(visitor.page.get_by_role("alert")).to_contain_text("The video could not be played")
    # Not before the answer that is still being written has ended.
    again = visitor.page.get_by_role("button", name="Try again")
    await expect(again).to_be_hidden()
    gate.set()
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(again).to_be_visible()
    await visitor.becomes("idle")


async def test_the_volume_is_the_users_and_stays(visitor: Visit) -> None:
    volume = visitor.page.get_by_role("slider", name="Volume")
    await volume.fill("0.3")
    await visitor.page.reload()
    await visitor.write("Speak softly")
    await visitor.speaks_past(0.1)
    speech = visitor.page.locator("#speech")
    assert await speech.evaluate("video => [video.volume, video.muted]") == [0.3, False]
    mute = visitor.page.get_by_role("button", name="Mute the voice")
    await volume.fill("0")
    await expect(mute).to_have_attribute("aria-pressed", "true")
    await mute.click()
    assert await speech.evaluate("video => [video.volume, video.muted]") == [0.3, False]
    await visitor.becomes("idle")


async def test_a_floating_face_shows_what_the_stage_shows(visitor: Visit) -> None:
    if not await visitor.page.evaluate("document.pictureInPictureEnabled"):
        pytest.skip("This Chromium has no picture-in-picture.")
    floats = visitor.page.get_by_role("button", name="Float above other windows")
    await floats.click()
    await expect(floats).to_have_attribute("aria-pressed", "true")
    await visitor.write("Speak")
    await expect(visitor.page.locator("#speech:picture-in-picture")).to_have_count(1)
    await expect(visitor.page.locator("#idle:picture-in-picture")).to_have_count(1)
    await floats.click()
    await expect(floats).to_have_attribute("aria-pressed", "false")
