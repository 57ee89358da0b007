"""Where the video comes from in browsers that cannot be fed fragments, or only when they ask for them."""

import pytest
from playwright.async_api import expect

from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting

HLS_PLAYS = "document.createElement('video').canPlayType('application/vnd.apple.mpegurl')"
NO_MEDIA_SOURCE = "delete window.MediaSource; delete window.ManagedMediaSource;"
NO_HLS = "HTMLMediaElement.prototype.canPlayType = () => '';"
MANAGED_MEDIA_SOURCE = """
const Source = MediaSource;
delete window.MediaSource;
window.ManagedMediaSource = class extends Source {
    streaming = false;
    constructor() {
        super();
        window.managed = this;
    }
};
"""


@pytest.mark.parametrize(
    ("lacking", "source"),
    [(NO_MEDIA_SOURCE, "video.m3u8"), (NO_MEDIA_SOURCE + NO_HLS, "video.mp4")],
    ids=["a playlist", "a growing file"],
)
async def test_browsers_without_media_source_fetch_the_video_themselves(
    visiting: Visiting, lacking: str, source: str
) -> None:
    visitor = await visiting()
    plays_hls = await visitor.page.evaluate(HLS_PLAYS)
    await visitor.context.add_init_script(lacking)
    await visitor.page.reload()
    if source.endswith("m3u8") and not plays_hls:
        pytest.skip("This Chromium plays no HLS by itself.")
    await visitor.write("Speak")
    await visitor.speaks_past(0.5)
    assert (await visitor.page.locator("#speech").evaluate("video => video.currentSrc")).endswith(source)
    await visitor.becomes("idle")


async def test_a_managed_media_source_is_fed_when_it_wants_to_be(visiting: Visiting) -> None:
    """Phones with iOS have only this one; here Chromium's own plays its part."""
    visitor = await visiting()
    await visitor.context.add_init_script(MANAGED_MEDIA_SOURCE)
    await visitor.page.reload()
    await visitor.write("Speak")
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()
    await expect(visitor.stage).to_have_attribute("data-state", "thinking")
    await visitor.page.evaluate(
        "() => { managed.streaming = true; managed.dispatchEvent(new Event('startstreaming')); }"
    )
    await visitor.speaks_past(0.5)
    await visitor.becomes("idle")
