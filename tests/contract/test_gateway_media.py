"""A reply's media: whole, in ranges, while they grow, and as players that know HLS or WebVTT want them."""

from __future__ import annotations

import asyncio
import io

import av
import pytest

from tests.fakes import fragments
from tests.fakes.faults import Fault
from tests.fakes.served_gateway import ServedGateway
from tests.fakes.stages import FakeStages

SPEECH = {"say": "The moon is a rock. It shines at night. Nobody lives there."}


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stages(served_stages: FakeStages) -> FakeStages:
    served_stages.forget()
    return served_stages


def stream_seconds(mp4: bytes) -> dict[str, float]:
    """Where the last packet of each stream ends."""
    seconds: dict[str, float] = {}
    with av.open(io.BytesIO(mp4), "r") as source:
        for packet in source.demux():
            if packet.pts is not None and packet.duration is not None:
                seconds[packet.stream.type] = float((packet.pts + packet.duration) * packet.time_base)
    return seconds


async def test_picture_and_sound_of_the_finished_video_are_equally_long(gateway: ServedGateway) -> None:
    events = await gateway.reply(SPEECH)
    video = next(event.data for event in events if event.type == "video_ok")
    movie = (await gateway.http.get(video["video_url"])).content
    seconds = stream_seconds(movie)
    assert seconds["video"] == pytest.approx(video["duration_seconds"], abs=0.001)
    assert seconds["audio"] == pytest.approx(video["duration_seconds"], abs=0.001)


async def test_the_finished_video_has_its_index_in_front_and_says_what_it_is(gateway: ServedGateway) -> None:
    reply_id = await gateway.post(SPEECH)
    await gateway.events(reply_id)
    movie = (await gateway.http.get(f"/v1/replies/{reply_id}/video.mp4")).content
    assert movie.index(b"moov") < movie.index(b"mdat")
    with av.open(io.BytesIO(movie), "r") as source:
        assert "made by a machine" in source.metadata["comment"]


async def test_ranges_of_a_finished_file(gateway: ServedGateway) -> None:
    reply_id = await gateway.post(SPEECH)
    await gateway.events(reply_id)
    for part in ("video.mp4", "audio.wav", "init.mp4", "0.m4s"):
        url = f"/v1/replies/{reply_id}/{part}"
        whole = await gateway.http.get(url)
        size = len(whole.content)
        assert whole.headers["Accept-Ranges"] == "bytes"
        for header, start, end in (("0-9", 0, 10), ("5-", 5, size), ("-7", size - 7, size)):
            answer = await gateway.http.get(url, headers={"Range": f"bytes={header}"})
            assert (answer.status_code, answer.content) == (206, whole.content[start:end])
            assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{size}"
        beyond = await gateway.http.get(url, headers={"Range": f"bytes={size}-"})
        assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")


async def test_head_tells_the_size_of_a_finished_video(gateway: ServedGateway) -> None:
    reply_id = await gateway.post(SPEECH)
    await gateway.events(reply_id)
    url = f"/v1/replies/{reply_id}/video.mp4"
    size = len((await gateway.http.get(url)).content)
    assert (await gateway.http.head(url)).headers["Content-Length"] == str(size)


async def test_a_growing_video_is_the_init_segment_and_every_fragment(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=2, gate=gate))
    reply_id = await gateway.post(SPEECH)
    await stages.lipsync.faults.reached.wait()
    told = await gateway.http.head(f"/v1/replies/{reply_id}/video.mp4")
    assert (told.status_code, told.headers["Content-Type"]) == (200, "video/mp4")
    assert "Content-Length" not in told.headers
    head = fragments.init_segment() + fragments.fragment(0, 8)
    grown = b""
    async with gateway.http.stream("GET", f"/v1/replies/{reply_id}/video.mp4") as response:
        assert response.headers["Accept-Ranges"] == "none"
        async for piece in response.aiter_raw():
            grown += piece
            if len(grown) >= len(head):
                assert grown.startswith(head)
                gate.set()
    events = await gateway.events(reply_id)
    urls = [event.data["url"] for event in events if event.type == "fragment"]
    parts = [(await gateway.http.get(url)).content for url in urls]
    assert grown == fragments.init_segment() + b"".join(parts)
    assert set(stream_seconds(grown)) == {"video", "audio"}


async def test_growing_audio_holds_every_utterance(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.tts.faults.plan(Fault(after=99), Fault(after=1, gate=gate))
    reply_id = await gateway.post(SPEECH)
    await stages.tts.faults.reached.wait()
    grown = b""
    async with gateway.http.stream("GET", f"/v1/replies/{reply_id}/audio.wav") as response:
        async for piece in response.aiter_raw():
            grown += piece
            gate.set()
    finished = (await gateway.http.get(f"/v1/replies/{reply_id}/audio.wav")).content
    assert grown[44:] == finished[44:]
    await gateway.events(reply_id)


async def test_hls_grows_and_ends(gateway: ServedGateway, stages: FakeStages) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=3, gate=gate))
    reply_id = await gateway.post(SPEECH)
    await stages.lipsync.faults.reached.wait()
    url = f"/v1/replies/{reply_id}/video.m3u8"
    early = (await gateway.http.get(url)).text
    assert "#EXT-X-ENDLIST" not in early
    gate.set()
    events = await gateway.events(reply_id)
    late = (await gateway.http.get(url)).text
    assert late.endswith("#EXT-X-ENDLIST\n")
    # An EVENT playlist may only be added to.
    assert late.startswith(early)
    listed = [line for line in late.splitlines() if line.endswith(".m4s")]
    assert [f"/v1/replies/{reply_id}/{name}" for name in listed] == [
        event.data["url"] for event in events if event.type == "fragment"
    ]


async def test_a_player_that_comes_before_the_first_fragment_is_kept_waiting(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    gate = asyncio.Event()
    stages.lipsync.faults.plan(Fault(after=1, gate=gate))
    reply_id = await gateway.post(SPEECH)
    asking = asyncio.create_task(gateway.http.get(f"/v1/replies/{reply_id}/video.m3u8"))
    await stages.lipsync.faults.reached.wait()
    assert not asking.done()
    gate.set()
    assert "0.m4s" in (await asking).text
    await gateway.events(reply_id)


async def test_captions_carry_the_time_of_each_word(gateway: ServedGateway) -> None:
    reply_id = await gateway.post({"say": "Rock & <roll>."})
    await gateway.events(reply_id)
    captions = (await gateway.http.get(f"/v1/replies/{reply_id}/captions.vtt")).text
    assert captions.startswith("WEBVTT\n\n1\n00:00:00.000 --> 00:00:00.960\n")
    assert "<00:00:00.120>Rock <00:00:00.260>&amp; <00:00:00.400>&lt;roll&gt;." in captions


async def test_the_poster_is_the_first_picture(gateway: ServedGateway) -> None:
    reply_id = await gateway.post(SPEECH)
    await gateway.events(reply_id)
    for _ in range(2):
        poster = await gateway.http.get(f"/v1/replies/{reply_id}/poster.jpg")
        assert poster.headers["Content-Type"] == "image/jpeg"
        with av.open(io.BytesIO(poster.content), "r") as picture:
            assert picture.streams.video[0].width == fragments.SIDE_PX


async def test_a_reply_without_video_has_no_video_files(gateway: ServedGateway) -> None:
    reply_id = await gateway.post({"say": "`code`"})
    await gateway.events(reply_id)
    for part in ("video.mp4", "video.m3u8", "audio.wav", "init.mp4", "poster.jpg"):
        assert (await gateway.http.get(f"/v1/replies/{reply_id}/{part}")).status_code == 404


async def test_a_cancelled_reply_keeps_what_was_made(gateway: ServedGateway, stages: FakeStages) -> None:
    stages.lipsync.faults.plan(Fault(after=2, gate=asyncio.Event()))
    reply_id = await gateway.post(SPEECH)
    async for event in gateway.live(reply_id):
        if event.type == "fragment":
            break
    await gateway.http.delete(f"/v1/replies/{reply_id}")
    made = (await gateway.http.get(f"/v1/replies/{reply_id}/video.mp4")).content
    assert made == fragments.init_segment() + fragments.fragment(0, 8)
    assert "#EXT-X-ENDLIST" in (await gateway.http.get(f"/v1/replies/{reply_id}/video.m3u8")).text
