"""A reply's events go in, the reply as it stands comes out: the resource at /v1/replies/{id}."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel

from gateway.reply.addresses import part_url, reply_url
from gateway.reply.events import LoggedEvent, Problem, Timings, Usage, UtteranceEvent
from gateway.stages.text import FinishReason


class Reply(BaseModel):
    """A reply as a client sees it. `last_event_id` says how much of the log this snapshot covers.

    `finish_reason` is null until the whole text is there, then what `text_ok` says.
    """

    id: str
    status: Literal["running", "completed", "cancelled", "failed"] = "running"
    url: str
    events_url: str
    video_url: str | None
    playlist_url: str | None
    audio_url: str | None
    captions_url: str | None
    poster_url: str | None
    starts_in_seconds: float = 0.0
    eta_seconds: float = 0.0
    fraction: float = 0.0
    text: str = ""
    finish_reason: FinishReason | None = None
    utterances: list[UtteranceEvent] = []
    duration_seconds: float = 0.0
    frames_done: int = 0
    frames_total: int = 0
    usage: Usage | None = None
    timings: Timings | None = None
    error: Problem | None = None
    last_event_id: int = 0


def snapshot(reply_id: str, events: Iterable[LoggedEvent]) -> Reply:
    """The reply after these events, all of them from the first."""
    reply = Reply(
        id=reply_id,
        url=reply_url(reply_id),
        events_url=part_url(reply_id, "events"),
        video_url=part_url(reply_id, "video.mp4"),
        playlist_url=part_url(reply_id, "video.m3u8"),
        audio_url=part_url(reply_id, "audio.wav"),
        captions_url=part_url(reply_id, "captions.vtt"),
        poster_url=part_url(reply_id, "poster.jpg"),
    )
    for event in events:
        reply.last_event_id = event.id
        _take(reply, event.type, event.data)
    return reply


def _take(reply: Reply, type_: str, data: dict[str, Any]) -> None:
    match type_:
        case "accepted":
            _withhold(reply, data["outputs"])
            _estimate(reply, data)
        case "progress":
            _advance(reply, data)
        case "text_delta":
            reply.text += data["delta"]
        case "text_ok":
            reply.text = data["text"]
            reply.finish_reason = data["finish_reason"]
        case "utterance":
            reply.utterances.append(UtteranceEvent.model_validate(data))
        case "audio_ok" | "video_ok":
            reply.duration_seconds = data["duration_seconds"]
        case "done":
            _finish(reply, data)
        case "error":
            _end(reply, "failed")
            reply.error = Problem.model_validate(data)


def _finish(reply: Reply, data: dict[str, Any]) -> None:
    _end(reply, data["status"])
    reply.usage = Usage.model_validate(data["usage"])
    reply.timings = Timings.model_validate(data["timings"])
    if data["video_url"] is None and data["status"] == "completed":
        reply.video_url = reply.playlist_url = reply.poster_url = None
    if not reply.utterances:
        reply.audio_url = reply.captions_url = None


def _withhold(reply: Reply, outputs: list[str]) -> None:
    if "video" not in outputs:
        reply.video_url = reply.playlist_url = reply.poster_url = None
        if "speech" not in outputs:
            reply.audio_url = reply.captions_url = None


def _estimate(reply: Reply, data: dict[str, Any]) -> None:
    reply.starts_in_seconds = data["starts_in_seconds"]
    reply.eta_seconds = data["eta_seconds"]


def _advance(reply: Reply, data: dict[str, Any]) -> None:
    _estimate(reply, data)
    reply.fraction = data["fraction"]
    reply.frames_done = data["frames_done"]
    reply.frames_total = data["frames_total"]


def _end(reply: Reply, status: Literal["completed", "cancelled", "failed"]) -> None:
    reply.status = status
    reply.starts_in_seconds = reply.eta_seconds = 0.0
    if status == "completed":
        reply.fraction = 1.0
