"""What happens to a reply goes in, the events that clients receive come out: one model per event type."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pydantic import BaseModel

from gateway.stages.text import FinishReason

TERMINAL = frozenset({"done", "error"})


class Event(BaseModel):
    """The data of one event; `event_name` is its name on the wire. Times are seconds."""

    event_name: ClassVar[str]

    def data(self) -> dict[str, Any]:
        """As it goes into the log."""
        return self.model_dump(mode="json")


class Accepted(Event):
    """Always first. Both estimates include a cold start and the queue."""

    event_name: ClassVar[str] = "accepted"
    reply_id: str
    outputs: list[str]
    starts_in_seconds: float
    eta_seconds: float


class TextDelta(Event):
    """The newest piece of the text."""

    event_name: ClassVar[str] = "text_delta"
    delta: str


class TextUsage(BaseModel):
    """What the language model counted; zeros for a text spoken word for word."""

    prompt_tokens: int = 0
    completion_tokens: int = 0


class TextOk(Event):
    """The whole text.

    `finish_reason` is `stop` where it came to its end, `length` where `max_tokens` cut it, `content_filter`
    where the language model's provider did.
    """

    event_name: ClassVar[str] = "text_ok"
    text: str
    finish_reason: FinishReason
    usage: TextUsage
    eta_seconds: float


class Word(BaseModel):
    """A spoken word on the reply's timeline."""

    text: str
    start_seconds: float
    end_seconds: float


class UtteranceEvent(Event):
    """A sentence-sized part has been spoken. Its time includes the silence around it."""

    event_name: ClassVar[str] = "utterance"
    index: int
    text: str
    audio_url: str
    start_seconds: float
    duration_seconds: float
    words: list[Word]


class AudioOk(Event):
    """All speech is there."""

    event_name: ClassVar[str] = "audio_ok"
    audio_url: str
    duration_seconds: float
    eta_seconds: float


class FragmentEvent(Event):
    """A CMAF fragment can be fetched. The first one also names the init segment and the MIME type."""

    event_name: ClassVar[str] = "fragment"
    index: int
    url: str
    start_seconds: float
    duration_seconds: float
    init_url: str | None = None
    mime: str | None = None

    def data(self) -> dict[str, Any]:
        """Only the first one has an init segment to name."""
        return self.model_dump(mode="json", exclude_none=True)


class ProgressEvent(Event):
    """How far the reply is. `fraction` never moves back and stays at or below 0.99.

    `stage` is the furthest one at work: `text` until a first utterance is complete, `speech` until that has
    been spoken, `video` from then on. It never moves back either, though others work on later utterances.
    """

    event_name: ClassVar[str] = "progress"
    stage: Literal["text", "speech", "video"]
    fraction: float
    starts_in_seconds: float
    eta_seconds: float
    frames_done: int
    frames_total: int
    queue_position: int


class VideoOk(Event):
    """The finished MP4 can be fetched."""

    event_name: ClassVar[str] = "video_ok"
    video_url: str
    duration_seconds: float


class Usage(BaseModel):
    """What a reply cost.

    `render_seconds` are those of compute that video workers told of. Of video that was made before another
    gateway went on with the reply, they are reckoned from its length and what such video took before.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    speech_seconds: float = 0.0
    video_seconds: float = 0.0
    render_seconds: float = 0.0
    # Replies whose gateway or text stage died before the text was there: a model was asked for the rest.
    resumed: int = 0


class Timings(BaseModel):
    """Seconds from the POST to each step; null where it was never reached."""

    first_text_seconds: float | None = None
    text_seconds: float | None = None
    first_speech_seconds: float | None = None
    speech_seconds: float | None = None
    first_fragment_seconds: float | None = None
    video_seconds: float | None = None
    total_seconds: float | None = None


class Done(Event):
    """Terminal. `video_url` is null where nothing could be shown."""

    event_name: ClassVar[str] = "done"
    status: Literal["completed", "cancelled"]
    video_url: str | None
    usage: Usage
    timings: Timings


class Problem(Event):
    """RFC 9457 problem details; as an event, terminal."""

    event_name: ClassVar[str] = "error"
    type: str
    title: str
    status: int
    detail: str
    trace_id: str = ""
    stage: str | None = None
    retry_after_seconds: float | None = None
    errors: list[dict[str, str]] | None = None

    def data(self) -> dict[str, Any]:
        """Members that do not apply are left out, as in RFC 9457."""
        return self.model_dump(mode="json", exclude_none=True)


# Everything that a client may be told, in the order in which it first comes.
EVENTS: tuple[type[Event], ...] = (
    Accepted,
    TextDelta,
    TextOk,
    UtteranceEvent,
    AudioOk,
    FragmentEvent,
    ProgressEvent,
    VideoOk,
    Done,
    Problem,
)


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """An event in a reply's log. `id` counts from 1 without gaps; `at` is when it came, in Unix seconds."""

    id: int
    type: str
    data: dict[str, Any]
    at: float = field(default=0.0, compare=False)

    @property
    def terminal(self) -> bool:
        """Nothing follows it."""
        return self.type in TERMINAL
