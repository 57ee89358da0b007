"""Waiting made honest: what it waits for, and why it takes so long."""

import asyncio

from playwright.async_api import expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.visit import Visit

LONG_MS = 7_000


async def test_a_slow_reply_says_why(visitor: Visit, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    why = visitor.page.locator("#slowness")
    await visitor.page.clock.install()
    await visitor.write("Think hard")
    await expect(visitor.answers).to_have_text("The moon is")
    await expect(why).to_be_empty()
    await visitor.page.clock.fast_forward(LONG_MS)
    await expect(why).to_have_text("The language model is taking its time on this machine.")
    gate.set()
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(why).to_be_empty()


async def test_a_stage_that_is_gone_is_named_as_the_reason(visiting: Visiting, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    visitor = await visiting()
    await visitor.page.clock.install()
    await visitor.write("Speak")
    await expect(visitor.answers).to_have_text("The moon is")
    await stages.tts_server.stop()
    await visitor.page.clock.fast_forward(LONG_MS)
    await expect(visitor.page.locator("#slowness")).to_have_text(
        "A part of the server does not answer; it is waited for."
    )
    await stages.tts_server.start()


async def test_a_reason_that_comes_after_the_end_is_not_told(visitor: Visit) -> None:
    """The view alone: so that the server's answer is on its way when the reply ends."""
    await visitor.page.clock.install()
    await visitor.page.evaluate(
        """async () => {
            const { Slowness } = await import("/js/view/slowness.js");
            const place = document.createElement("p");
            const late = {};
            late.answer = new Promise((resolve) => (late.resolve = resolve));
            const slowness = new Slowness(place, () => ((late.asked = true), late.answer));
            slowness.begin();
            window.shown = { place, slowness, late };
        }"""
    )
    await visitor.page.clock.fast_forward(LONG_MS)
    told = await visitor.page.evaluate(
        """async () => {
            const { place, slowness, late } = window.shown;
            slowness.end();
            late.resolve({ text: "down" });
            // Whatever waited for the answer has gone on by the end of a round trip.
            await fetch("/healthz");
            return [late.asked, place.textContent];
        }"""
    )
    assert told == [True, ""]


async def test_a_server_that_cannot_be_asked_is_not_called_slow(visitor: Visit) -> None:
    """The view alone, as above."""
    await visitor.page.clock.install()
    await visitor.page.evaluate(
        """async () => {
            const { Slowness } = await import("/js/view/slowness.js");
            const place = document.createElement("p");
            const asked = [];
            new Slowness(place, async () => asked.push(Date.now()) && Promise.reject(new Error())).begin();
            window.shown = { place, asked };
        }"""
    )
    await visitor.page.clock.fast_forward(LONG_MS)
    told = await visitor.page.evaluate(
        """async () => {
            // Whatever waited for the answer has gone on by the end of a round trip.
            await fetch("/healthz");
            return [window.shown.asked.length, window.shown.place.textContent];
        }"""
    )
    assert told == [1, ""]


async def test_a_place_in_the_queue_is_told(visitor: Visit) -> None:
    """The progress view alone: no stage here has a queue that a test could hold a place in."""
    words = await visitor.page.evaluate(
        """async () => {
            const { Progress } = await import("/js/view/progress.js");
            const parts = Array.from({ length: 5 }, () => document.createElement("div"));
            const [box, track, bar, stage, seconds] = parts;
            const progress = new Progress({ box, track, bar, stage, seconds });
            progress.begin();
            progress.show({ stage: "video", fraction: 0.5, eta_seconds: 12, queue_position: 3 });
            progress.show({ stage: "video", fraction: 0.2, eta_seconds: 12, queue_position: 3 });
            progress.end();
            return [stage.textContent, seconds.textContent, track.getAttribute("aria-valuenow")];
        }"""
    )
    assert words == ["Waiting in line, 3 ahead", "about 12 s left", "50"]
