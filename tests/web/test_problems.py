"""When something goes wrong: a sentence a person understands, a way on, and nothing of it in the history."""

from playwright.async_api import expect
from visavis.rpc.failures import Failure, FailureType

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.line import Line
from tests.web.visit import Visit

UPSTREAM = Failure(FailureType.UPSTREAM_UNAVAILABLE, "The provider answered 503.")


async def test_a_failing_stage_is_told_in_plain_words(visitor: Visit, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=4, failure=UPSTREAM))
    await visitor.write("Fail")
    bubble = visitor.page.get_by_role("alert")
    await expect(bubble).to_contain_text("The language provider does not answer at the moment.")
    await expect(bubble).not_to_contain_text("503")
    await visitor.becomes("idle")
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()


async def test_trying_again_asks_the_same_once_more(visitor: Visit, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=1, failure=UPSTREAM))
    await visitor.write("Fail once")
    await visitor.page.get_by_role("button", name="Try again").click()
    await expect(visitor.answers).to_have_text(REPLY)
    await expect(visitor.page.get_by_role("alert")).to_have_count(0)
    said = [message.content for message in stages.text.requests[1].conversation.messages]
    assert said == ["Fail once"]


async def test_a_setting_that_cannot_be_had_is_told_with_its_bounds(
    visitor: Visit, stages: FakeStages
) -> None:
    bounds = "This voice's pitch_semitones must lie between -4.2 and 8.5."
    stages.tts.faults.plan(Fault(after=0, failure=Failure(FailureType.UNSUPPORTED_SETTING, bounds)))
    await visitor.write("Higher")
    await expect(visitor.page.get_by_role("alert")).to_contain_text(bounds)


async def test_what_went_wrong_comes_into_view(visiting: Visiting) -> None:
    visitor = await visiting(viewport={"width": 1280, "height": 480})
    await visitor.answered("Fill the page")
    await expect(visitor.answers).to_have_text(REPLY)
    await visitor.page.route("**/v1/replies", lambda route: route.abort())
    await visitor.write("Fail below its edge")
    again = visitor.page.get_by_role("button", name="Try again")
    await expect(again).to_be_in_viewport(ratio=1)


async def test_problems_stay_out_of_the_history(visitor: Visit, stages: FakeStages) -> None:
    stages.text.faults.plan(Fault(after=1, failure=UPSTREAM))
    await visitor.write("Fail")
    await expect(visitor.page.get_by_role("alert")).to_be_visible()
    await expect(visitor.page.locator("#include-all-text")).to_have_text("Sent along: 1 of 1")
    await expect(visitor.page.get_by_role("button", name="Copy")).to_be_hidden()
    await visitor.write("Go on")
    await expect(visitor.answers.nth(1)).to_have_text(REPLY)
    said = [message.content for message in stages.text.requests[1].conversation.messages]
    assert said == ["Fail", "Go on"]


async def test_a_refused_request_is_told_with_the_servers_reason(
    visiting: Visiting, stages: FakeStages
) -> None:
    visitor = await visiting()
    await visitor.write("long " * 30_000)
    await expect(visitor.page.get_by_role("alert")).to_contain_text("The message is too long.")
    assert stages.text.requests == []


async def test_a_server_that_is_gone_is_told_as_such(visiting: Visiting, line: Line) -> None:
    visitor = await visiting()
    await expect(visitor.page.locator("#notice")).to_contain_text("tiny")
    line.cut()
    await visitor.write("Anyone?")
    await expect(visitor.page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    line.mend()
    await visitor.page.get_by_role("button", name="Try again").click()
    await expect(visitor.answers).to_have_text(REPLY)
