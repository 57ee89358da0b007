"""Faults go in anywhere; every reply still tells a whole story with exactly one end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from visavis.rpc.failures import Failure, FailureType
from visavis.v1 import text_pb2

from tests.fakes.faults import Fault
from tests.fakes.served_gateway import MOON, ServedGateway, check_story, served_gateway
from tests.fakes.stages import FakeStages
from tests.fakes.text_stage import REPLY

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture
def stages(served_stages: FakeStages) -> FakeStages:
    served_stages.forget()
    return served_stages


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    served_stages: FakeStages, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ServedGateway]:
    folder = tmp_path_factory.mktemp("gateway")
    async with served_gateway(served_stages, folder, patience_seconds=0.6, reply_seconds=20) as gateway:
        yield gateway


@pytest.fixture
def gateway(served: ServedGateway, stages: FakeStages) -> ServedGateway:
    return served


async def test_a_reply_tells_its_whole_story(gateway: ServedGateway) -> None:
    events = await gateway.reply()
    check_story(events)
    types = [event.type for event in events]
    data = {event.type: event.data for event in events}
    assert "".join(event.data["delta"] for event in events if event.type == "text_delta") == REPLY
    assert data["text_ok"]["text"] == REPLY
    assert data["text_ok"]["finish_reason"] == "stop"
    assert data["text_ok"]["usage"] == {"prompt_tokens": 7, "completion_tokens": 12}
    assert types.count("utterance") == 3
    assert types.index("utterance") < types.index("fragment")
    assert data["done"]["status"] == "completed"
    assert data["done"]["video_url"] == data["video_ok"]["video_url"]
    assert data["done"]["usage"]["video_seconds"] == data["video_ok"]["duration_seconds"]
    assert data["video_ok"]["duration_seconds"] == data["audio_ok"]["duration_seconds"]


async def test_only_the_first_fragment_names_the_init_segment(gateway: ServedGateway) -> None:
    fragments = [event.data for event in await gateway.reply() if event.type == "fragment"]
    assert fragments[0]["init_url"].endswith("/init.mp4")
    assert fragments[0]["mime"].startswith("video/mp4; codecs=")
    assert not any("init_url" in fragment or "mime" in fragment for fragment in fragments[1:])


async def test_words_lie_inside_their_utterance(gateway: ServedGateway) -> None:
    for utterance in (event.data for event in await gateway.reply() if event.type == "utterance"):
        start = utterance["start_seconds"]
        end = start + utterance["duration_seconds"]
        assert " ".join(word["text"] for word in utterance["words"]) == utterance["text"]
        assert all(start < word["start_seconds"] < word["end_seconds"] < end for word in utterance["words"])


@pytest.mark.parametrize("stage", ["text", "speech", "video"])
@pytest.mark.parametrize("after", range(6))
async def test_a_failure_at_any_point_ends_in_one_error(
    stages: FakeStages, gateway: ServedGateway, stage: str, after: int
) -> None:
    failure = Failure(FailureType.UPSTREAM_UNAVAILABLE, "The provider is down.")
    stages.faults_of(stage).plan(Fault(after=after, failure=failure))
    events = await gateway.reply()
    check_story(events)
    error = events[-1]
    assert (error.type, error.data["type"]) == ("error", "upstream-unavailable")
    assert error.data["stage"] == stage
    assert (error.data["status"], error.data["detail"]) == (502, "The provider is down.")
    assert len(error.data["trace_id"]) == 32
    check_story(next_reply := await gateway.reply())
    assert next_reply[-1].type == "done"


@pytest.mark.parametrize("after", range(6))
async def test_what_was_made_before_a_failure_is_delivered(
    stages: FakeStages, gateway: ServedGateway, after: int
) -> None:
    failure = Failure(FailureType.UPSTREAM_UNAVAILABLE, "The provider is down.")
    stages.tts.faults.plan(Fault(after=99), Fault(after=after, failure=failure))
    events = await gateway.reply()
    spoken = [event.data for event in events if event.type == "utterance"]
    shown = [event.data for event in events if event.type == "fragment"]
    assert len(spoken) == 1
    assert sum(fragment["duration_seconds"] for fragment in shown) == pytest.approx(
        spoken[0]["duration_seconds"]
    )


@pytest.mark.parametrize("stage", ["speech", "video"])
@pytest.mark.parametrize("after", range(5))
async def test_a_broken_call_is_made_again_and_nothing_is_lost_or_doubled(
    stages: FakeStages, gateway: ServedGateway, stage: str, after: int
) -> None:
    gone = Failure(FailureType.STAGE_UNAVAILABLE, "Restarting.")
    stages.faults_of(stage).plan(Fault(after=after, failure=gone), Fault(after=0, failure=gone))
    events = await gateway.reply()
    check_story(events)
    assert events[-1].data["status"] == "completed"
    shown = sum(event.data["duration_seconds"] for event in events if event.type == "fragment")
    video = next(event.data for event in events if event.type == "video_ok")
    assert shown == pytest.approx(video["duration_seconds"])


async def test_a_broken_render_is_taken_up_where_it_broke(stages: FakeStages, gateway: ServedGateway) -> None:
    stages.lipsync.faults.plan(Fault(after=3, failure=Failure(FailureType.STAGE_UNAVAILABLE, "Gone.")))
    await gateway.reply()
    assert [start.resume_frame for start in stages.lipsync.starts] == [0, 16, 0, 0, 0]


async def test_a_text_word_for_word_is_taken_up_after_a_break(
    stages: FakeStages, gateway: ServedGateway
) -> None:
    stages.text.faults.plan(Fault(after=7, failure=Failure(FailureType.STAGE_UNAVAILABLE, "Gone.")))
    events = await gateway.reply({"say": REPLY})
    assert "".join(event.data["delta"] for event in events if event.type == "text_delta") == REPLY
    assert events[-1].data["status"] == "completed"


@pytest.mark.parametrize("after", [2, 4, 6, 9])
async def test_an_answer_whose_stage_dies_is_gone_on_with(
    stages: FakeStages, gateway: ServedGateway, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    gone = Failure(FailureType.STAGE_UNAVAILABLE, "Gone.")
    stages.text.faults.plan(Fault(after=after, failure=gone))

    def answer(conversation: text_pb2.Conversation) -> str:
        if len(conversation.messages) == 1:
            return REPLY
        # It repeats the last word, as it is asked to.
        said = conversation.messages[1].content
        return said.split()[-1] + " " + REPLY[len(said) :]

    monkeypatch.setattr(stages.text, "answer", answer)
    events = await gateway.reply()
    check_story(events)
    assert "".join(event.data["delta"] for event in events if event.type == "text_delta") == REPLY
    assert [event.data["text"] for event in events if event.type == "text_ok"] == [REPLY]
    assert [event.data["text"] for event in events if event.type == "utterance"] == [
        "The moon is a rock.",
        "It shines at night.",
        "Nobody lives there.",
    ]
    assert events[-1].data["status"] == "completed"
    assert events[-1].data["usage"]["resumed"] == 1


async def test_a_model_is_asked_to_go_on_no_more_than_once(
    stages: FakeStages, gateway: ServedGateway
) -> None:
    gone = Failure(FailureType.STAGE_UNAVAILABLE, "Gone.")
    stages.text.faults.plan(Fault(after=4, failure=gone), Fault(after=4, failure=gone))
    events = await gateway.reply()
    check_story(events)
    assert events[-1].data["type"] == "stage-unavailable"
    assert stages.text.faults.calls == 2


async def test_a_busy_worker_is_waited_for_and_the_wait_is_told(
    stages: FakeStages, gateway: ServedGateway
) -> None:
    busy = Failure(FailureType.BUSY, "Every slot is taken.", retry_after_seconds=0.4)
    # Refused often enough to be waited for, not only tried again at the next worker.
    stages.lipsync.faults.plan(*[Fault(failure=busy)] * 6)
    events = await gateway.reply()
    assert events[-1].data["status"] == "completed"
    assert 1 in [event.data["queue_position"] for event in events if event.type == "progress"]


async def test_an_utterance_with_nothing_to_say_is_passed_over(
    stages: FakeStages, gateway: ServedGateway
) -> None:
    stages.tts.faults.plan(Fault(failure=Failure(FailureType.NOTHING_SPEAKABLE, "Only an ellipsis.")))
    events = await gateway.reply()
    check_story(events)
    assert [event.data["text"] for event in events if event.type == "utterance"] == [
        "It shines at night.",
        "Nobody lives there.",
    ]


async def test_a_text_without_anything_speakable_ends_well_and_without_video(gateway: ServedGateway) -> None:
    events = await gateway.reply({"say": "`print(1)`"})
    check_story(events)
    types = {event.type for event in events}
    assert not types & {"utterance", "audio_ok", "fragment", "video_ok"}
    assert events[-1].data["status"] == "completed"
    assert events[-1].data["video_url"] is None


@pytest.mark.parametrize(
    ("outputs", "stages_asked"),
    [(["text"], (1, 0, 0)), (["text", "speech"], (1, 3, 0)), (["video"], (1, 3, 4))],
)
async def test_only_the_stages_that_are_needed_are_asked(
    stages: FakeStages, gateway: ServedGateway, outputs: list[str], stages_asked: tuple[int, int, int]
) -> None:
    events = await gateway.reply(MOON | {"outputs": outputs})
    check_story(events)
    calls = (stages.text.faults.calls, stages.tts.faults.calls, stages.lipsync.faults.calls)
    assert calls == stages_asked


@pytest.mark.parametrize("stage", ["text", "speech", "video"])
async def test_a_stage_that_stalls_ends_the_reply_at_its_deadline(
    stages: FakeStages, tmp_path: Path, stage: str
) -> None:
    async with served_gateway(stages, tmp_path, reply_seconds=0.8) as gateway:
        stages.faults_of(stage).plan(Fault(after=2, gate=asyncio.Event()))
        events = await gateway.reply()
        check_story(events)
        assert events[-1].data["type"] == "deadline-exceeded"
        assert events[-1].data["status"] == 504


async def test_a_restarted_stage_does_not_fail_a_reply(stages: FakeStages, tmp_path: Path) -> None:
    async with served_gateway(stages, tmp_path, patience_seconds=15) as gateway:
        await stages.lipsync_server.stop()
        reply_id = await gateway.post()
        async for event in gateway.live(reply_id):
            if event.type == "audio_ok":
                break
        await stages.lipsync_server.start()
        events = await gateway.events(reply_id)
        check_story(events)
        assert events[-1].data["status"] == "completed"


@pytest.mark.parametrize("stage", ["text", "speech", "video"])
async def test_a_dead_stage_is_told_and_the_next_reply_works_when_it_is_back(
    stages: FakeStages, gateway: ServedGateway, stage: str
) -> None:
    servers = {"text": stages.text_server, "speech": stages.tts_server, "video": stages.lipsync_server}
    await servers[stage].stop()
    events = await gateway.reply()
    check_story(events)
    error = events[-1].data
    assert (error["type"], error["stage"], error["status"]) == ("stage-unavailable", stage, 503)
    await servers[stage].start()
    while (await gateway.http.get("/readyz")).json()["stages"][stage] != "serving":
        pass
    assert (await gateway.reply())[-1].type == "done"


async def test_a_named_voice_is_not_bound_by_a_language_that_was_only_found(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    check_story(await gateway.reply({"say": "Hello.", "voice": "hum-zh"}))
    assert [request.language for request in stages.tts.requests] == [""]


async def test_a_language_that_was_only_found_and_nobody_speaks_is_left_to_the_speech_service(
    gateway: ServedGateway, stages: FakeStages
) -> None:
    stages.tts.faults.plan(Fault(failure=Failure(FailureType.UNSUPPORTED_LANGUAGE, "Not spoken here.")))
    events = await gateway.reply({"say": "Hello."})
    check_story(events)
    assert events[-1].type == "done"
    assert [request.language for request in stages.tts.requests] == ["en", ""]
