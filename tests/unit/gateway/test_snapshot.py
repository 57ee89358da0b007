"""A reply as it stands is nothing but its events, folded."""

from __future__ import annotations

from visavis.rpc.failures import Failure, FailureType

from gateway.problems import problem_of
from gateway.reply.events import (
    Accepted,
    Done,
    Event,
    LoggedEvent,
    ProgressEvent,
    TextDelta,
    TextOk,
    TextUsage,
    Timings,
    Usage,
    UtteranceEvent,
    VideoOk,
)
from gateway.reply.snapshot import Reply, snapshot

SAID = UtteranceEvent(index=0, text="Hi.", audio_url="", start_seconds=0, duration_seconds=1.28, words=[])
WHOLE = TextOk(text="Hi.", finish_reason="length", usage=TextUsage(), eta_seconds=1)


def accepted(*outputs: str) -> Accepted:
    return Accepted(reply_id="a", outputs=list(outputs), starts_in_seconds=1, eta_seconds=3)


def done(video_url: str | None) -> Done:
    return Done(status="completed", video_url=video_url, usage=Usage(speech_seconds=1.28), timings=Timings())


def after(*events: Event) -> Reply:
    return snapshot("a", [LoggedEvent(i, e.event_name, e.data()) for i, e in enumerate(events, 1)])


def test_a_new_reply_says_where_everything_will_be() -> None:
    reply = after(accepted("text", "speech", "video"))
    assert (reply.status, reply.eta_seconds, reply.last_event_id) == ("running", 3, 1)
    assert reply.events_url == "/v1/replies/a/events"
    assert reply.video_url == "/v1/replies/a/video.mp4"


def test_only_what_was_asked_for_has_an_address() -> None:
    text = after(accepted("text"))
    assert (text.video_url, text.playlist_url, text.poster_url) == (None, None, None)
    assert (text.audio_url, text.captions_url) == (None, None)
    speech = after(accepted("text", "speech"))
    assert speech.video_url is None
    assert speech.audio_url is not None
    assert after(accepted("video")).audio_url is not None


def test_deltas_add_up_until_the_whole_text_is_there() -> None:
    begun = after(accepted("text"), TextDelta(delta="H"), TextDelta(delta="i"))
    assert (begun.text, begun.finish_reason) == ("Hi", None)
    whole = after(accepted("text"), TextDelta(delta="H"), WHOLE)
    assert (whole.text, whole.finish_reason) == ("Hi.", "length")


def test_progress_is_the_newest_one() -> None:
    event = ProgressEvent(
        stage="video",
        fraction=0.4,
        starts_in_seconds=0,
        eta_seconds=2,
        frames_done=8,
        frames_total=32,
        queue_position=0,
    )
    reply = after(accepted("video"), event)
    assert (reply.fraction, reply.eta_seconds, reply.frames_done, reply.frames_total) == (0.4, 2, 8, 32)


def test_a_completed_reply_is_whole() -> None:
    video = VideoOk(video_url="/v1/replies/a/video.mp4", duration_seconds=1.6)
    reply = after(accepted("video"), WHOLE, SAID, video, done(video.video_url))
    assert (reply.status, reply.fraction, reply.eta_seconds) == ("completed", 1.0, 0.0)
    assert (reply.duration_seconds, len(reply.utterances)) == (1.6, 1)
    assert reply.usage == Usage(speech_seconds=1.28)


def test_a_reply_with_nothing_to_say_has_no_media() -> None:
    reply = after(accepted("video"), WHOLE, done(None))
    assert (reply.video_url, reply.audio_url, reply.captions_url) == (None, None, None)


def test_a_failed_reply_keeps_its_problem() -> None:
    reply = after(accepted("video"), problem_of(Failure(FailureType.BUSY, "Later.", retry_after_seconds=1)))
    assert reply.status == "failed"
    assert reply.error is not None
    assert (reply.error.type, reply.error.retry_after_seconds) == ("busy", 1)
    assert reply.fraction < 1
