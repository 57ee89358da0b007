"""What happens to a reply goes in, what its estimate rests on comes out."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class ReplyState:
    """What is known of a running reply at one moment. Times count from the POST; None: not yet."""

    language: str
    # What its text is learned by: the provider and its model.
    writer: str
    avatar: str
    wants_speech: bool
    wants_video: bool
    speech_provider: str = ""
    voice: str = ""
    # 1: the voice's own.
    speaking_rate: float = 1.0
    # Known beforehand for a text word for word.
    expected_characters: int | None = None
    characters: int = 0
    spoken_characters: int = 0
    first_text_at: float | None = None
    text_at: float | None = None
    speech_seconds: float = 0.0
    first_speech_at: float | None = None
    speech_at: float | None = None
    video_seconds: float = 0.0
    first_fragment_at: float | None = None
    last_fragment_at: float = 0.0
    # Where the video was when its pace began to be that of the rest: the text was there.
    paced_at: float | None = None
    paced_video_seconds: float = 0.0
    video_at: float | None = None
    # For a worker that was busy, or a stage that had to start.
    waited_seconds: float = 0.0

    @property
    def speaker(self) -> str:
        """What its speech is learned by: the language, who speaks, and the voice where one was asked for."""
        return "/".join(filter(None, (self.language, self.speech_provider, self.voice)))

    def take_fragment(self, now: float, end_seconds: float) -> None:
        """The video has grown up to there."""
        if self.first_fragment_at is None:
            self.first_fragment_at = now
        self.video_seconds = end_seconds
        self.last_fragment_at = now
        if self.paced_at is None and self.text_at is not None:
            self.paced_at = now
            self.paced_video_seconds = end_seconds
