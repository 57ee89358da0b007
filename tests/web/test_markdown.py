"""Markdown: shown as what it means, and never more than words, whatever it says."""

import pytest
from playwright.async_api import Error, expect

from tests.fakes.stages import FakeStages
from tests.web.conftest import Visiting
from tests.web.visit import Visit

RICH = """# Moons

They are *round*, **old** and ~~green~~ `grey`.

- Io
- Europa
  1. ice
  2. water

| Moon | Planet |
| --- | --- |
| Io | Jupiter |

> Small step.

See [more](https://example.org/moons)."""

HOSTILE = """<img src=x onerror="document.title=1">

[click](javascript:document.title=2) <javascript:document.title=3> ![x](javascript:document.title=4)

<script>document.title=5</script>

<iframe srcdoc="<script>parent.document.title=6</script>"></iframe>

[a]: javascript:document.title=7
[a] | <svg onload=document.title=8>

```html" onmouseover="document.title=9
<script>document.title=10</script>
```"""

CODE = "Look:\n\n```python\nprint('<moon>')\n```\n\nIt is short."


async def test_markdown_is_shown_as_what_it_means(visitor: Visit, stages: FakeStages) -> None:
    stages.text.reply = RICH
    await visitor.write("Tell me")
    answer = visitor.answers
    await expect(answer.get_by_role("heading", name="Moons", level=3)).to_be_visible()
    await expect(answer.get_by_role("link", name="more")).to_have_attribute(
        "href", "https://example.org/moons"
    )
    await expect(answer.locator("p em, p strong, p del, p code")).to_have_text(
        ["round", "old", "green", "grey"]
    )
    await expect(answer.locator("ul > li")).to_have_count(2)
    await expect(answer.locator("ul ol > li")).to_have_text(["ice", "water"])
    await expect(answer.get_by_role("cell")).to_have_text(["Io", "Jupiter"])
    await expect(answer.locator("blockquote")).to_have_text("Small step.")


async def test_what_comes_later_completes_what_is_there(visitor: Visit) -> None:
    """The prose alone, as it grows: a link's address at the end, then a heading above the first one."""
    shown = await visitor.page.evaluate(
        """async () => {
            const { writeProse } = await import("/js/view/prose.js");
            const place = document.createElement("div");
            const begun = "## Io\\n\\nSee [more][1].\\n\\nUntouched.";
            writeProse(place, begun);
            const untouched = place.lastElementChild;
            writeProse(place, `${begun}\\n\\n# Moons\\n\\n[1]: https://example.org/moons`);
            const levels = [...place.querySelectorAll("h3, h4")].map(({ tagName }) => tagName);
            return [place.querySelector("a")?.href, levels, place.children[2] === untouched];
        }"""
    )
    assert shown == ["https://example.org/moons", ["H4", "H3"], True]


async def test_a_hostile_reply_stays_words(visitor: Visit, stages: FakeStages) -> None:
    stages.text.reply = HOSTILE
    title = await visitor.page.title()
    await visitor.write("Attack")
    await expect(visitor.answers.locator("figure.code")).to_be_visible()
    await expect(visitor.page.get_by_role("progressbar")).to_be_hidden()
    await expect(visitor.answers).to_contain_text('<img src=x onerror="document.title=1">')
    await expect(visitor.answers).to_contain_text("<script>document.title=5</script>")
    assert await visitor.answers.locator("img, script, iframe, svg:not(.icon), a").count() == 0
    assert await visitor.answers.evaluate(
        "place => [...place.querySelectorAll('*')].every((node) => "
        "[...node.attributes].every(({ name }) => !name.startsWith('on')))"
    )
    assert await visitor.page.title() == title


async def test_the_browser_refuses_to_make_markup_of_text(visiting: Visiting) -> None:
    visitor = await visiting()
    with pytest.raises(Error, match="TrustedHTML"):
        await visitor.page.evaluate("document.body.innerHTML = '<b>words</b>'")


async def test_code_can_be_copied(visiting: Visiting, stages: FakeStages) -> None:
    stages.text.reply = CODE
    visitor = await visiting(permissions=["clipboard-read", "clipboard-write"])
    await visitor.answered("Show me code")
    await visitor.answers.get_by_role("button", name="Copy").click()
    await expect(visitor.answers.get_by_role("button", name="Copied")).to_be_visible()
    assert await visitor.page.evaluate("navigator.clipboard.readText()") == "print('<moon>')"
