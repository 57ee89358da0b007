"""A question through the four real processes, seen and heard as a visitor sees and hears it."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser, expect

from tests.e2e.stack import Stack
from tests.web.visit import visit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

REAL_MILLISECONDS = 60_000
LOUDNESS = """video => {
    const sound = new AudioContext();
    const meter = sound.createAnalyser();
    sound.createMediaElementSource(video).connect(meter);
    const samples = new Float32Array(meter.fftSize);
    return new Promise((resolve) => video.addEventListener("timeupdate", () => {
        meter.getFloatTimeDomainData(samples);
        const peak = Math.max(...samples.map(Math.abs));
        if (peak > 0.02) resolve(peak);
    }));
}"""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("stack"))
    try:
        stack.start_all()
        yield stack
    finally:
        stack.stop()


async def test_a_face_answers(browser: Browser, stack: Stack) -> None:
    visitor = await visit(browser, stack.url)
    try:
        speech = visitor.page.locator("#speech")
        await expect(visitor.page.locator("#idle")).to_have_js_property("readyState", 4)
        await visitor.write("Tell me about the moon.")
        await expect(visitor.stage).to_have_attribute("data-state", "speaking", timeout=REAL_MILLISECONDS)
        assert await speech.evaluate("video => [video.videoWidth, video.videoHeight]") == [512, 512]
        assert await speech.evaluate(LOUDNESS) <= 1
        before = await visitor.seconds_spoken()
        await visitor.speaks_past(before + 0.5)
        await expect(visitor.page.locator("#captions .is-said").first).to_be_visible()
        await expect(visitor.answers).to_contain_text("moon")
        await expect(visitor.stage).to_have_attribute("data-state", "idle", timeout=REAL_MILLISECONDS)
        await expect(visitor.page.get_by_role("alert")).to_have_count(0)
        assert visitor.complaints == []
    finally:
        await visitor.context.close()
