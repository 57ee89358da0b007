"""The JavaScript module in other hands: bytes in any pieces, another site, a key, a cut line, a cancel."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page

from tests.fakes.faults import Fault
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY
from tests.web.conftest import Visiting, lined
from tests.web.line import Line

KEY = "the-key-of-bob"
EMPTY_PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n<!doctype html>"
# Every kind of line end, a comment, an id that holds on, a character of four bytes, an event that is cut off.
STREAM = (
    "\ufeffretry: 700\r\n\r\n"
    'id: 1\r\nevent: text_delta\r\ndata: {"delta":"月亮 🌙"}\r\n\r\n'
    ": ping\n\n"
    "event:plain\ndata:two\ndata: lines\n\n"
    "id: 2\rdata\r\r"
    "event: nothing\n\n"
    "data: cut off\n"
).encode()
FRAMES = [
    {"id": "1", "type": "text_delta", "data": '{"delta":"月亮 🌙"}', "retry": 700},
    {"id": "1", "type": "plain", "data": "two\nlines", "retry": 700},
    {"id": "2", "type": "message", "data": "", "retry": 700},
]
READ_IN_PIECES = """async ([bytes, sizes]) => {
    const { frames } = await import("/js/frames.js");
    const read = async (size) => {
        const rest = Uint8Array.from(bytes);
        let at = 0;
        const reader = { read: async () => at < rest.length
            ? { value: rest.slice(at, (at += size)), done: false } : { done: true } };
        const found = [];
        for await (const frame of frames(reader)) found.push(frame);
        return found;
    };
    return Promise.all(sizes.map(read));
}"""
GATEWAY = """const { Gateway, Problem } = await import(`${base}/js/gateway.js`);
    const gateway = new Gateway({ base, key });"""
ASK = f"""async ([base, key]) => {{
    {GATEWAY}
    const reply = await gateway.ask({{ say: "Hello there. You." }});
    const ids = [];
    let last = null;
    for await (const event of gateway.events(reply)) {{
        ids.push(event.id);
        last = event;
    }}
    for await (const event of gateway.events(reply, {{ after: last.id }})) ids.push(event.id);
    const video = await fetch(gateway.address(last.data.video_url));
    return [ids, last.type, last.data.status, video.status];
}}"""
REFUSED = f"""async ([base, key]) => {{
    {GATEWAY}
    return gateway.ask({{ say: "Hello." }}).catch((problem) => [problem instanceof Problem, problem.type]);
}}"""
FOLLOW = f"""async ([base, key]) => {{
    {GATEWAY}
    const reply = await gateway.ask({{ messages: [{{ role: "user", content: "Moon?" }}] }});
    window.lines = [];
    window.text = "";
    window.ending = (async () => {{
        const onLine = (connected) => window.lines.push(connected);
        for await (const {{ type, data }} of gateway.events(reply, {{ onLine }})) {{
            if (type === "text_delta") window.text += data.delta;
            if (type === "done") return data.status;
        }}
    }})();
    window.cancel = () => gateway.cancel(reply.id);
}}"""


@pytest.fixture(scope="module")
def keys() -> str:
    return f"bob {hashlib.sha256(KEY.encode()).hexdigest()}"


@pytest_asyncio.fixture(loop_scope="session")
async def site(browser: Browser) -> AsyncIterator[Page]:
    """An empty page of another site."""
    server = await asyncio.start_server(_answer_with_nothing, "127.0.0.1", 0)
    context = await browser.new_context()
    page = await context.new_page()
    await page.goto(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    yield page
    await context.close()
    server.close()


async def _answer_with_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(EMPTY_PAGE)
    writer.close()


@pytest_asyncio.fixture(loop_scope="session")
async def guarded(stages: FakeStages, tmp_path: Path, keys: str, site: Page) -> AsyncIterator[Line]:
    """A gateway with a key, which lets the pages of that site in."""
    async with lined(stages, tmp_path, api_keys=keys, origins=[site.url.rstrip("/")]) as line:
        yield line


async def test_frames_are_the_same_however_their_bytes_are_split(visiting: Visiting) -> None:
    page = (await visiting()).page
    sizes = [1, 2, 3, 5, 7, 64, len(STREAM)]
    assert await page.evaluate(READ_IN_PIECES, [list(STREAM), sizes]) == [FRAMES] * len(sizes)


async def test_another_site_asks_with_a_key_and_reads_to_the_end(site: Page, guarded: Line) -> None:
    ids, last, status, video = await site.evaluate(ASK, [guarded.url, KEY])
    assert ids == list(range(1, len(ids) + 1))
    assert (last, status, video) == ("done", "completed", 200)
    assert await site.evaluate(REFUSED, [guarded.url, "guessed"]) == [True, "unauthorized"]


async def test_a_cut_line_is_taken_up_where_it_was_and_a_cancel_reaches_the_stages(
    site: Page, guarded: Line, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.text.faults.plan(Fault(after=4, gate=gate))
    await site.evaluate(FOLLOW, [guarded.url, KEY])
    await site.wait_for_function("window.text === 'The moon is '")
    guarded.cut()
    await site.wait_for_function("window.lines.at(-1) === false")
    gate.set()
    guarded.mend()
    assert await site.evaluate("window.ending") == "completed"
    assert await site.evaluate("window.text") == REPLY

    stages.text.faults.plan(Fault(after=4, gate=asyncio.Event()))
    await site.evaluate(FOLLOW, [guarded.url, KEY])
    await site.wait_for_function("window.text === 'The moon is '")
    await site.evaluate("window.cancel()")
    assert await site.evaluate("window.ending") == "cancelled"
