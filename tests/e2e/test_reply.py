"""A whole reply through the four real processes, as a client sees it."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import av
import httpx
import pytest
from httpx_sse import ServerSentEvent, connect_sse

from tests.e2e.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

Event = tuple[int, str, dict[str, Any]]


@contextmanager
def client_of(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=90) as client:
        yield client


def parsed(event: ServerSentEvent) -> Event:
    return int(event.id), event.event, json.loads(event.data)


def events_of(client: httpx.Client, path: str, after: int = 0, at_most: int | None = None) -> list[Event]:
    """The reply's events from `after` on, to its end or `at_most` of them."""
    events: list[Event] = []
    with connect_sse(client, "GET", path, headers={"Last-Event-ID": str(after)} if after else {}) as source:
        for event in source.iter_sse():
            if not event.data:  # The standard: without data nothing is dispatched, only `retry` is taken.
                continue
            events.append(parsed(event))
            if len(events) == at_most:
                break
    return events


def reply(client: httpx.Client, **request: Any) -> tuple[dict[str, Any], list[Event]]:
    answer = client.post("/v1/replies", json=request)
    assert answer.status_code == 202, answer.text
    accepted = answer.json()
    return accepted, events_of(client, accepted["events_url"])


def of_type(events: list[Event], type_: str) -> list[dict[str, Any]]:
    return [data for _, event, data in events if event == type_]


def test_a_question_is_answered_in_text_speech_and_video(stack: Stack) -> None:
    with client_of(stack) as client:
        accepted, events = reply(client, messages=[{"role": "user", "content": "Tell me about the moon."}])
        movie = client.get(accepted["video_url"])
    types = [type_ for _, type_, _ in events]
    assert [id_ for id_, _, _ in events] == list(range(1, len(events) + 1))
    assert types[0] == "accepted"
    assert types[-1] == "done"
    assert sum(type_ in ("done", "error") for type_ in types) == 1
    text = "".join(delta["delta"] for delta in of_type(events, "text_delta"))
    assert text == of_type(events, "text_ok")[0]["text"] != ""
    assert types.index("utterance") < types.index("fragment") < types.index("video_ok")
    assert_plays(movie.content, of_type(events, "video_ok")[0]["duration_seconds"])


def test_words_to_say_are_said_word_for_word(stack: Stack) -> None:
    text = "Hello there. Peter Piper picked a peck of pickled peppers! How are you?"
    with client_of(stack) as client:
        accepted, events = reply(client, say=text)
        movie = client.get(accepted["video_url"])
        speech = client.get(accepted["audio_url"])
    assert of_type(events, "text_ok")[0]["text"] == text
    utterances = of_type(events, "utterance")
    spoken = " ".join(word["text"] for utterance in utterances for word in utterance["words"])
    assert "Piper" in spoken
    for before, after in pairwise(utterances):
        end = before["start_seconds"] + before["duration_seconds"]
        assert after["start_seconds"] == pytest.approx(end, abs=1e-6)
    assert speech.headers["content-type"].startswith("audio/")
    assert_plays(movie.content, of_type(events, "video_ok")[0]["duration_seconds"])


def test_fragments_play_as_one_movie_while_it_grows(stack: Stack) -> None:
    with client_of(stack) as client:
        _, events = reply(client, say="One sentence here. And then another one follows it.")
        fragments = of_type(events, "fragment")
        growing = client.get(fragments[0]["init_url"]).content
        growing += b"".join(client.get(fragment["url"]).content for fragment in fragments)
    ends = [fragment["start_seconds"] + fragment["duration_seconds"] for fragment in fragments]
    assert [fragment["start_seconds"] for fragment in fragments[1:]] == pytest.approx(ends[:-1], abs=1e-6)
    assert_plays(growing, ends[-1])


def test_an_interrupted_client_resumes_and_misses_nothing(stack: Stack) -> None:
    with client_of(stack) as client:
        accepted = client.post(
            "/v1/replies", json={"say": "This line will be cut. It heals all the same."}
        ).json()
        first = events_of(client, accepted["events_url"], at_most=3)
        rest = events_of(client, accepted["events_url"], after=first[-1][0])
        again = events_of(client, accepted["events_url"])
        up_to_date = client.get(accepted["events_url"], headers={"Last-Event-ID": str(again[-1][0])})
    assert first + rest == again
    assert up_to_date.status_code == 204


def test_progress_never_moves_back_and_is_whole_only_when_done(stack: Stack) -> None:
    with client_of(stack) as client:
        _, events = reply(client, say="Progress is honest here. It goes on, and on, and then it ends.")
    fractions = [progress["fraction"] for progress in of_type(events, "progress")]
    assert fractions == sorted(fractions)
    assert fractions[-1] <= 0.99


def test_a_cancelled_reply_ends_as_cancelled(stack: Stack) -> None:
    with client_of(stack) as client:
        accepted = client.post("/v1/replies", json={"say": "A very long story. " * 60}).json()
        events_of(client, accepted["events_url"], at_most=4)
        client.delete(f"/v1/replies/{accepted['id']}")
        events = events_of(client, accepted["events_url"])
    assert events[-1][1] == "done"
    assert events[-1][2]["status"] == "cancelled"


@pytest.mark.parametrize("text", ["🙂🙂🙂", "```python\nprint('hi')\n```"])
def test_a_text_with_nothing_speakable_is_shown_and_not_spoken(stack: Stack, text: str) -> None:
    with client_of(stack) as client:
        _, events = reply(client, say=text)
    assert of_type(events, "text_ok")[0]["text"] == text
    assert not of_type(events, "utterance")
    assert events[-1][1] == "done"


def test_chinese_is_spoken_too(stack: Stack) -> None:
    with client_of(stack) as client:
        accepted, events = reply(client, say="你好，很高兴认识你。今天天气很好。", language="zh")
        movie = client.get(accepted["video_url"])
    assert events[-1][1] == "done"
    assert_plays(movie.content, of_type(events, "video_ok")[0]["duration_seconds"])


def test_a_killed_stage_fails_the_reply_clearly_and_works_again_when_it_is_back(stack: Stack) -> None:
    with client_of(stack) as client:
        stack.kill("tts")
        try:
            _, events = reply(client, say="Nobody can speak this.")
        finally:
            stack.start("tts")
            stack.wait_until_serving()
        assert events[-1][1] == "error"
        assert events[-1][2]["type"].endswith("stage-unavailable")
        _, events = reply(client, say="Now somebody can.")
        assert events[-1][1] == "done"


def assert_plays(movie: bytes, seconds: float) -> None:
    """H.264 and AAC at 25 frames per second, both as long as promised, within one frame."""
    frame_seconds = 1 / 25
    with av.open(io.BytesIO(movie), "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, audio.codec_context.name) == ("h264", "aac")
        frames = 0
        samples = 0
        for packet in container.demux(video, audio):
            for frame in packet.decode():
                if isinstance(frame, av.VideoFrame):
                    assert (frame.width, frame.height) == (512, 512)
                    frames += 1
                elif isinstance(frame, av.AudioFrame):
                    samples += frame.samples
        assert audio.sample_rate == 48000
    assert frames * frame_seconds == pytest.approx(seconds, abs=frame_seconds)
    assert samples / 48000 == pytest.approx(seconds, abs=frame_seconds)
