"""A reply's events go in, what of it is there already comes out: from here another process goes on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from gateway.media.timeline import FPS
from gateway.reply.events import LoggedEvent, TextOk, UtteranceEvent


@dataclass(slots=True)
class Made:
    """What a reply's log tells of its parts; of a new reply nothing."""

    # Of the last event.
    id: int = 0
    ended: bool = False
    # As much of the text as its client has.
    text: str = ""
    delta_count: int = 0
    text_ok: TextOk | None = None
    utterances: list[UtteranceEvent] = field(default_factory=list)
    # How long all speech is, the closing rest included; None: there may be more.
    speech_seconds: float | None = None
    fragment_count: int = 0
    # Frames of the video that are there.
    frame_count: int = 0
    mime: str = ""
    video_url: str | None = None
    fraction: float = 0.0
    # When the first event of each type came, in Unix seconds.
    at: dict[str, float] = field(default_factory=dict)

    @property
    def spoken_frames(self) -> int:
        """Frames of the utterances that are there, the rest not included."""
        if not self.utterances:
            return 0
        last = self.utterances[-1]
        return round((last.start_seconds + last.duration_seconds) * FPS)


def made(events: Iterable[LoggedEvent]) -> Made:
    """What is there after these events, all of them from the first."""
    parts = Made()
    for event in events:
        parts.id = event.id
        parts.ended = event.terminal
        parts.at.setdefault(event.type, event.at)
        _take(parts, event.type, event.data)
    return parts


def _take(parts: Made, type_: str, data: Mapping[str, object]) -> None:
    match type_, data:
        case "text_delta", {"delta": str(delta)}:
            parts.text += delta
            parts.delta_count += 1
        case "text_ok", _:
            parts.text_ok = TextOk.model_validate(data)
        case "utterance", _:
            parts.utterances.append(UtteranceEvent.model_validate(data))
        case "audio_ok", {"duration_seconds": float(seconds)}:
            parts.speech_seconds = seconds
        case "fragment", {"start_seconds": float(start), "duration_seconds": float(seconds)}:
            parts.fragment_count += 1
            parts.frame_count = round((start + seconds) * FPS)
            parts.mime = parts.mime or str(data["mime"])
        case "video_ok", {"video_url": str(url)}:
            parts.video_url = url
        case "progress", {"fraction": float(fraction)}:
            parts.fraction = fraction
