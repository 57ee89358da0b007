"""Several tabs: none overwrites another's conversation, and all of them can speak at once."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting
from tests.web.visit import Visit

TABS = 8
TAB = "visavis.tab"
HELD_STREAMS = """navigator.locks.query().then(
    ({ held }) => held.filter(({ name }) => name.startsWith("visavis.stream.")).length
)"""
ONE_OPEN_CONVERSATION = """() => navigator.locks.query().then(
    ({ held }) => held.filter(({ name }) => name.startsWith("visavis.conversation.")).length === 1
)"""
IS_KEPT = "text => Object.values(localStorage).some((value) => value.includes(text))"
TWO_TABS_CHOOSE = """async () => {
    const { Preferences } = await import("/js/preferences.js");
    const [one, other] = [new Preferences(), new Preferences()];
    one.set("temperature", 0.5);
    other.set("max_tokens", 70);
    const next = new Preferences();
    return [next.get("temperature"), next.get("max_tokens")];
}"""
WITHOUT_LOCKS = "Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })"


@pytest_asyncio.fixture(loop_scope="session")
async def home(visiting: Visiting) -> Visit:
    """One browser; its tabs share storage, locks and connections."""
    return await visiting()


async def _tab(home: Visit) -> Visit:
    page = await home.context.new_page()
    await page.goto(home.page.url)
    return Visit(home.context, page)


def _said(page: Page) -> Locator:
    return page.locator(".message.user .prose")


async def test_two_tabs_keep_their_conversations_apart(home: Visit) -> None:
    await home.answered("Mine")
    other = await _tab(home)
    await expect(other.page.get_by_role("heading", name="Say something.")).to_be_visible()
    await other.answered("Yours")
    await home.answered("Mine as well")
    for tab, said in ((other, ["Yours"]), (home, ["Mine", "Mine as well"])):
        await tab.page.reload()
        await expect(_said(tab.page)).to_have_text(said)


async def test_a_new_tab_takes_up_what_a_closed_one_left(home: Visit) -> None:
    earlier = await _tab(home)
    await earlier.answered("Not finished yet")
    await earlier.page.close(run_before_unload=True)
    await home.page.wait_for_function(ONE_OPEN_CONVERSATION)
    later = await _tab(home)
    await expect(_said(later.page)).to_have_text(["Not finished yet"])


async def test_a_copied_tab_goes_on_with_a_copy(home: Visit) -> None:
    await home.answered("Shared")
    await home.page.wait_for_function(IS_KEPT, arg="Shared")
    copied = await home.page.evaluate(f"sessionStorage.getItem('{TAB}')")
    copy = await home.context.new_page()
    await copy.add_init_script(
        f"sessionStorage.getItem('{TAB}') ?? sessionStorage.setItem('{TAB}', '{copied}')"
    )
    await copy.goto(home.page.url)
    await expect(_said(copy)).to_have_text(["Shared"])
    await Visit(home.context, copy).answered("Only in the copy")
    await home.page.reload()
    await expect(_said(home.page)).to_have_text(["Shared"])


async def test_without_locks_a_new_tab_takes_a_copy(visiting: Visiting) -> None:
    """Pages without TLS that are not on this machine have none."""
    home = await visiting()
    await home.context.add_init_script(WITHOUT_LOCKS)
    await home.page.reload()
    await home.answered("Shared")
    await home.page.wait_for_function(IS_KEPT, arg="Shared")
    other = await _tab(home)
    await expect(_said(other.page)).to_have_text(["Shared"])
    await other.answered("Only here")
    await home.page.reload()
    await expect(_said(home.page)).to_have_text(["Shared"])


async def test_a_choice_in_one_tab_survives_another_in_the_next(home: Visit) -> None:
    """What two tabs opened together hold, and what the third finds."""
    found = await home.page.evaluate(TWO_TABS_CHOOSE)
    assert found == [0.5, 70]


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_eight_tabs_are_answered_at_once(visiting: Visiting, stages: FakeStages) -> None:
    """Over HTTP/1.1 a browser opens six connections to one host: eight lasting streams would block it."""
    gates = [asyncio.Event() for _ in range(TABS)]
    for gate in gates:
        stages.text.faults.plan(Fault(after=4, gate=gate))
    home = await visiting(reduced_motion="reduce")
    tabs = [home] + [await _tab(home) for _ in range(TABS - 1)]
    for tab in tabs:
        await tab.write("All at once")
    for tab in tabs:
        await expect(tab.answers).to_have_text("The moon is")
    assert await home.page.evaluate(HELD_STREAMS) == 3
    for gate in gates:
        gate.set()
    for tab in tabs:
        await expect(tab.answers).to_have_text(REPLY)
        await expect(tab.page.get_by_role("progressbar")).to_be_hidden()
        await expect(tab.page.get_by_role("alert")).to_have_count(0)
