"""A line that drops: shown while it lasts, healed without a word lost or doubled."""

import asyncio

from playwright.async_api import expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.line import Line


async def test_a_cut_line_heals_and_misses_nothing(
    visiting: Visiting, stages: FakeStages, line: Line
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    visitor = await visiting()
    await visitor.write("Through the tunnel")
    await expect(visitor.answers).to_have_text("The moon is")
    line.cut()
    await expect(visitor.page.get_by_text("The line dropped, reconnecting…")).to_be_visible()
    gate.set()
    line.mend()
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.becomes("speaking")
    await visitor.becomes("idle")
    assert len(stages.text.requests) == 1


async def test_a_proxy_without_a_backend_is_waited_for(
    visiting: Visiting, stages: FakeStages, line: Line
) -> None:
    """EventSource itself gives up on an HTTP error; the page does not."""
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    visitor = await visiting()
    await visitor.write("Through a restart")
    await expect(visitor.answers).to_have_text("The moon is")
    await visitor.page.route("**/events*", lambda route: route.fulfill(status=502), times=2)
    line.cut()
    line.mend()
    gate.set()
    await expect(visitor.answers).to_have_text(REPLY)


async def test_speech_goes_on_after_the_line_was_cut(
    visiting: Visiting, stages: FakeStages, line: Line
) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=3, gate=gate))
    visitor = await visiting()
    await visitor.write("Speak through the tunnel")
    await visitor.becomes("speaking")
    line.cut()
    gate.set()
    line.mend()
    await visitor.speaks_past(1.5)
    await visitor.becomes("idle")
