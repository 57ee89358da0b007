"""An event's name and JSON go in, one typed event comes out; events of a later server are passed over."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    # Position in the reply's log, from 1.
    id: int


class Accepted(_Event):
    """Always first: the work has started."""

    type: Literal["accepted"]
    reply_id: str
    starts_in_seconds: float
    eta_seconds: float


class TextDelta(_Event):
    """The newest piece of the text."""

    type: Literal["text_delta"]
    delta: str


class TextOk(_Event):
    """The whole text; `finish_reason` is not "stop" where it was cut: by `max_tokens`, or by a filter."""

    type: Literal["text_ok"]
    text: str
    finish_reason: Literal["stop", "length", "content_filter"]
    eta_seconds: float


class Word(BaseModel):
    """A spoken word, in seconds on the reply's timeline."""

    text: str
    start_seconds: float
    end_seconds: float


class Utterance(_Event):
    """A sentence-sized part was spoken."""

    type: Literal["utterance"]
    index: int
    text: str
    audio_url: str
    start_seconds: float
    duration_seconds: float
    words: list[Word]


class AudioOk(_Event):
    """The whole speech is there."""

    type: Literal["audio_ok"]
    audio_url: str
    duration_seconds: float
    eta_seconds: float


class Fragment(_Event):
    """A CMAF fragment of the video is there; the first one names the init segment and the MIME type."""

    type: Literal["fragment"]
    index: int
    url: str
    start_seconds: float
    duration_seconds: float
    init_url: str | None = None
    mime: str | None = None


class Progress(_Event):
    """How far the reply is: `fraction` never moves back and stays at or below 0.99 until `Done`."""

    type: Literal["progress"]
    stage: Literal["text", "speech", "video"]
    fraction: float
    starts_in_seconds: float
    eta_seconds: float
    frames_done: int
    frames_total: int
    queue_position: int


class VideoOk(_Event):
    """The finished video is there."""

    type: Literal["video_ok"]
    video_url: str
    duration_seconds: float


class Usage(BaseModel):
    """What the reply cost. `resumed` counts how often a text that broke off was gone on with."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    speech_seconds: float = 0.0
    video_seconds: float = 0.0
    render_seconds: float = 0.0
    resumed: int = 0


class Done(_Event):
    """The end. `video_url` is None where nothing could be shown."""

    type: Literal["done"]
    status: Literal["completed", "cancelled"]
    video_url: str | None = None
    usage: Usage = Usage()
    timings: dict[str, float | None] = {}


Event = Accepted | TextDelta | TextOk | Utterance | AudioOk | Fragment | Progress | VideoOk | Done

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_KNOWN = frozenset(str(get_args(kind.model_fields["type"].annotation)[0]) for kind in get_args(Event))


def typed_event(position: int, name: str, data: dict[str, Any]) -> Event | None:
    """The event, or None where its name is not known.

    Raises:
        pydantic.ValidationError: the data are not what the contract says.
    """
    if name not in _KNOWN:
        return None
    return _ADAPTER.validate_python({**data, "type": name, "id": position})
