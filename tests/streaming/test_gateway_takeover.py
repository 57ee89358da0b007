"""Two gateways share a Valkey and media: one is killed, and clients of the other notice nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.faults import Fault
from tests.fakes.gateway_process import GatewayProcess, gateway_process
from tests.fakes.served_gateway import MOON, Told, check_story
from tests.fakes.stages import FakeStages, fake_stages
from tests.fakes.text_stage import REPLY

SAY = {"say": REPLY}
SENTENCES = ["The moon is a rock.", "It shines at night.", "Nobody lives there."]
OWN_KEY = {"X-LLM-API-Key": "mine alone"}


@asynccontextmanager
async def two_gateways(
    valkey: str, folder: Path
) -> AsyncIterator[tuple[FakeStages, GatewayProcess, GatewayProcess]]:
    """The second one takes over two seconds after the first one's last sign of life."""
    shared: dict[str, str | float] = {"valkey_url": valkey, "takeover_seconds": 2, "drain_seconds": 60}
    async with (
        fake_stages() as stages,
        gateway_process(stages, folder, **shared) as one,
        gateway_process(stages, folder, **shared) as other,
    ):
        await asyncio.gather(one.ready(), other.ready())
        yield stages, one, other


async def killed_when(
    seen: Callable[[Told], bool], dying: GatewayProcess, heir: GatewayProcess, reply_id: str
) -> list[Told]:
    """All that a client of the heir hears; as soon as it has heard that much, the other gateway is killed."""
    events = []
    async for event in heir.live(reply_id):
        events.append(event)
        if dying.process.returncode is None and seen(event):
            await dying.kill()
    check_story(events)
    assert events == await heir.events(reply_id)
    return events


def ended_well(events: list[Told]) -> bool:
    return (events[-1].type, events[-1].data.get("status")) == ("done", "completed")


async def test_a_reply_survives_its_gateway_in_the_middle_of_an_utterance(
    valkey: str, tmp_path: Path
) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        undisturbed = await heir.post(SAY)
        assert ended_well(await heir.events(undisturbed))
        stages.tts.requests.clear()
        stages.lipsync.faults.plan(Fault(after=2, gate=asyncio.Event()))
        reply_id = await dying.post(SAY)
        seen = set()

        def spoken_and_begun(event: Told) -> bool:
            seen.add(event.type)
            return {"audio_ok", "fragment"} <= seen

        events = await killed_when(spoken_and_begun, dying, heir, reply_id)
        assert ended_well(events)
        assert await heir.media(reply_id) == await heir.media(undisturbed)
        assert [request.text for request in stages.tts.requests] == SENTENCES
        begins = [start.resume_frame for start in stages.lipsync.starts if start.start_frame == 0]
        assert begins == [0, 0, 8]


async def test_a_text_that_broke_off_goes_on_from_where_it_was(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        stages.text.faults.plan(Fault(after=9, gate=asyncio.Event()))
        reply_id = await dying.post(MOON)

        def broke_off(event: Told) -> bool:
            # The one who goes on repeats the last word, as it is asked to.
            stages.text.reply = "shines at night. Nobody lives there."
            stages.text.finish_reason = "length"
            return event.data.get("delta") == "shines "

        events = await killed_when(broke_off, dying, heir, reply_id)
        assert ended_well(events)
        asked = [request for request in stages.text.requests if request.HasField("conversation")]
        assert [message.content for message in asked[1].conversation.messages][1] == (
            "The moon is a rock. It shines "
        )
        assert "".join(event.data["delta"] for event in events if event.type == "text_delta") == REPLY
        whole = [event.data for event in events if event.type == "text_ok"]
        assert [(data["text"], data["finish_reason"]) for data in whole] == [(REPLY, "length")]
        assert [event.data["text"] for event in events if event.type == "utterance"] == SENTENCES
        assert events[-1].data["usage"]["resumed"] == 1


@pytest.mark.slow
async def test_a_text_that_is_there_is_not_asked_for_again(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        stages.tts.faults.plan(Fault(gate=asyncio.Event()))
        reply_id = await dying.post(MOON, **OWN_KEY)
        events = await killed_when(lambda event: event.type == "text_ok", dying, heir, reply_id)
        assert ended_well(events)
        assert sum(request.HasField("conversation") for request in stages.text.requests) == 1
        assert [event.data["text"] for event in events if event.type == "utterance"] == SENTENCES
        usage = events[-1].data["usage"]
        assert (usage["completion_tokens"], usage["resumed"]) == (len(REPLY.split()), 0)


@pytest.mark.slow
async def test_a_reply_of_which_nothing_is_there_yet_begins_anew(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        stages.text.faults.plan(Fault(gate=asyncio.Event()))
        reply_id = await dying.post(MOON)
        events = await killed_when(lambda event: event.type == "accepted", dying, heir, reply_id)
        assert ended_well(events)
        assert [event.data["text"] for event in events if event.type == "utterance"] == SENTENCES


@pytest.mark.slow
async def test_without_the_callers_key_a_broken_text_ends_as_interrupted(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        stages.text.faults.plan(Fault(after=3, gate=asyncio.Event()))
        reply_id = await dying.post(MOON, **OWN_KEY)
        events = await killed_when(lambda event: event.type == "text_delta", dying, heir, reply_id)
        assert (events[-1].type, events[-1].data["type"]) == ("error", "interrupted")
        assert len(stages.text.requests) == 1


@pytest.mark.slow
async def test_uploaded_speech_is_there_for_whoever_goes_on(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, dying, heir):
        undisturbed = await heir.post(SAY)
        await heir.events(undisturbed)
        speech = (await heir.http.get(f"/v1/replies/{undisturbed}/audio.wav")).content
        stages.lipsync.faults.plan(Fault(after=2, gate=asyncio.Event()))
        upload = {"audio": ("speech.wav", speech, "audio/wav")}
        asked = await dying.http.post("/v1/replies", data={"request": "{}"}, files=upload)
        reply_id = asked.json()["id"]
        events = await killed_when(lambda event: event.type == "fragment", dying, heir, reply_id)
        assert ended_well(events)
        asked = await heir.http.post("/v1/replies", data={"request": "{}"}, files=upload)
        again = asked.json()["id"]
        await heir.events(again)
        assert await heir.media(reply_id) == await heir.media(again)


@pytest.mark.slow
async def test_a_gateway_that_drains_hands_its_replies_over_at_once(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, leaving, heir):
        stages.lipsync.faults.plan(Fault(after=2, gate=asyncio.Event()))
        reply_id = await leaving.post(SAY)
        before = []
        async for event in leaving.live(reply_id):
            before.append(event)
            if event.type == "fragment":
                leaving.process.terminate()
        assert await leaving.process.wait() == 0
        events = before + await heir.events(reply_id, before[-1].id)
        check_story(events)
        assert ended_well(events)


@pytest.mark.slow
async def test_cancelling_reaches_whoever_makes_the_reply(valkey: str, tmp_path: Path) -> None:
    async with two_gateways(valkey, tmp_path) as (stages, making, other):
        stages.lipsync.faults.plan(Fault(gate=asyncio.Event()))
        reply_id = await making.post(SAY)
        await stages.lipsync.faults.reached.wait()
        assert (await other.http.delete(f"/v1/replies/{reply_id}")).status_code == 204
        events = await making.events(reply_id)
        check_story(events)
        assert events[-1].data["status"] == "cancelled"
        assert (await other.http.delete(f"/v1/replies/{reply_id}")).status_code == 204
        assert (await making.http.get(f"/v1/replies/{reply_id}")).status_code == 404
