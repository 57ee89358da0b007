"""Measurements of finished replies go in, the seconds that a running one still needs come out.

Every rate is learned per key (a provider's model, a language as a provider's voice speaks it, an avatar) and
falls back to what wider keys showed, then all keys together, and before that to a seed measured with the
embedded defaults on two cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

# Weight of the newest reply: about the last five replies count.
NEWEST = 0.3
_SHORTEST_CHARACTERS = 40
_SOON_SECONDS = 0.05
# What is late by a while (a queue, a cold start) is likely to take about half as long again.
_LATER = 0.5
MAX_LEARNED = 1_000
_ANY = ""


class Rate(StrEnum):
    """What is learned."""

    FIRST_DELTA_SECONDS = "first_delta_seconds"
    CHARACTERS_PER_SECOND = "characters_per_second"
    REPLY_CHARACTERS = "reply_characters"
    SPEECH_SECONDS_PER_CHARACTER = "speech_seconds_per_character"
    # From an utterance's text to its speech.
    SPEAKING_SECONDS = "speaking_seconds"
    # From the first speech to its first fragment.
    FIRST_FRAGMENT_SECONDS = "first_fragment_seconds"
    RENDER_SECONDS_PER_SECOND = "render_seconds_per_second"


_SEEDS: dict[Rate, float] = {
    Rate.FIRST_DELTA_SECONDS: 0.4,
    Rate.CHARACTERS_PER_SECOND: 200.0,
    Rate.REPLY_CHARACTERS: 220.0,
    Rate.SPEECH_SECONDS_PER_CHARACTER: 0.068,
    Rate.SPEAKING_SECONDS: 0.08,
    Rate.FIRST_FRAGMENT_SECONDS: 0.2,
    Rate.RENDER_SECONDS_PER_SECOND: 0.2,
}
# A Chinese, Japanese or Korean character is a syllable or more.
_SYLLABIC_SECONDS_PER_CHARACTER = 0.23
_SYLLABIC = frozenset({"zh", "cmn", "yue", "ja", "ko"})


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
    first_fragment_seconds: float = 0.0
    # Time spent waiting for the video stage.
    rendering_seconds: float = 0.0
    video_at: float | None = None

    @property
    def speaker(self) -> str:
        """What its speech is learned by: the language, who speaks, and the voice where one was asked for."""
        return "/".join(filter(None, (self.language, self.speech_provider, self.voice)))


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until the face can start to speak without stalling later, and until the reply is done."""

    starts_in_seconds: float
    eta_seconds: float


class Estimates:
    """Learns from finished replies; knows nothing of any reply in particular."""

    def __init__(self, learned: Mapping[tuple[Rate, str], float] | None = None) -> None:
        self._learned = dict(learned or {})
        self._news: deque[tuple[tuple[Rate, str], float]] = deque(maxlen=MAX_LEARNED)

    @property
    def learned(self) -> Mapping[tuple[Rate, str], float]:
        """Everything that was learned, the oldest first."""
        return self._learned

    def rate(self, rate: Rate, key: str) -> float:
        """The learned value for the key, or the nearest thing to it."""
        for wider in _widened(key):
            if (rate, wider) in self._learned:
                return self._learned[rate, wider]
        if rate is Rate.SPEECH_SECONDS_PER_CHARACTER and _primary(key) in _SYLLABIC:
            return _SYLLABIC_SECONDS_PER_CHARACTER
        return self._learned.get((rate, _ANY), _SEEDS[rate])

    def learn(self, rate: Rate, key: str, value: float) -> None:
        """Takes in one finished reply's value."""
        for known in dict.fromkeys((rate, wider) for wider in (*_widened(key), _ANY)):
            self._news.append((known, value))
            self._take(known, value)
        while len(self._learned) > MAX_LEARNED:
            del self._learned[next(iter(self._learned))]

    def take_news(self) -> list[tuple[tuple[Rate, str], float]]:
        """What was learned since this was asked last, value by value."""
        news = list(self._news)
        self._news.clear()
        return news

    def know(self, learned: Mapping[tuple[Rate, str], float]) -> None:
        """Takes what others learned too in place of what was learned here, but for news not yet told."""
        self._learned = dict(learned)
        for known, value in self._news:
            self._take(known, value)

    def _take(self, known: tuple[Rate, str], value: float) -> None:
        # Taken out and put in at the end: what nobody asks for any more comes first, and goes first.
        old = self._learned.pop(known, None)
        self._learned[known] = value if old is None else old + NEWEST * (value - old)

    def learn_reply(self, state: ReplyState) -> None:
        """Takes in a completed reply."""
        spoke = state.first_speech_at is not None and state.spoken_characters >= _SHORTEST_CHARACTERS
        if spoke and state.speech_seconds:
            self.learn(
                Rate.SPEECH_SECONDS_PER_CHARACTER,
                state.speaker,
                state.speech_seconds * state.speaking_rate / state.spoken_characters,
            )
        if (
            state.expected_characters is None
            and state.first_text_at is not None
            and state.text_at is not None
        ):
            self.learn(Rate.FIRST_DELTA_SECONDS, state.writer, state.first_text_at)
            self.learn(Rate.REPLY_CHARACTERS, state.writer, state.characters)
            typing_seconds = state.text_at - state.first_text_at
            if state.characters >= _SHORTEST_CHARACTERS and typing_seconds > 0:
                self.learn(Rate.CHARACTERS_PER_SECOND, state.writer, state.characters / typing_seconds)
        if state.first_fragment_at is not None and state.first_speech_at is not None:
            first = state.first_fragment_at - state.first_speech_at
            self.learn(Rate.FIRST_FRAGMENT_SECONDS, state.avatar, first)
            pace = state.rendering_seconds / state.video_seconds
            self.learn(Rate.RENDER_SECONDS_PER_SECOND, state.avatar, pace)

    def eta(self, state: ReplyState, now: float) -> Eta:
        """What is left at `now` seconds after the POST."""
        text_left = self._text_left(state, now)
        if not state.wants_speech:
            return Eta(0.0, text_left)
        speech_total = self._speech_total(state)
        speech_left = 0.0
        if state.speech_at is None:
            speech_left = text_left + self.rate(Rate.SPEAKING_SECONDS, state.speaker)
        if not state.wants_video:
            starts = 0.0 if state.first_speech_at is not None else _until(self._first_speech_at(state), now)
            return Eta(starts, max(speech_left, starts))
        per_second = self._render_rate(state, now)
        video_left = max(0.0, speech_total - state.video_seconds)
        first_left = 0.0
        if state.first_fragment_at is None:
            first_fragment_seconds = self.rate(Rate.FIRST_FRAGMENT_SECONDS, state.avatar)
            first_left = _until(self._first_speech_at(state) + first_fragment_seconds, now)
        eta = max(speech_left, first_left + video_left * per_second)
        # Slower than it plays: starting now would mean to stall later.
        starts = max(first_left, eta - speech_total) if state.first_fragment_at is None else 0.0
        return Eta(starts, eta)

    def _text_left(self, state: ReplyState, now: float) -> float:
        if state.text_at is not None:
            return 0.0
        if state.expected_characters is not None:
            return _SOON_SECONDS
        per_second = self.rate(Rate.CHARACTERS_PER_SECOND, state.writer)
        if state.first_text_at is None:
            waiting = _until(self.rate(Rate.FIRST_DELTA_SECONDS, state.writer), now)
            return waiting + self._characters_total(state) / per_second
        return (self._characters_total(state) - state.characters) / per_second

    def _characters_total(self, state: ReplyState) -> float:
        if state.text_at is not None:
            return state.characters
        if state.expected_characters is not None:
            return state.expected_characters
        # A reply longer than usual is likely to go on for a while.
        return max(self.rate(Rate.REPLY_CHARACTERS, state.writer), state.characters * 1.15)

    def _speech_total(self, state: ReplyState) -> float:
        if state.speech_at is not None:
            return state.speech_seconds
        unspoken = max(0.0, self._characters_total(state) - state.spoken_characters)
        per_character = self.rate(Rate.SPEECH_SECONDS_PER_CHARACTER, state.speaker)
        return state.speech_seconds + unspoken * per_character / state.speaking_rate

    def _first_speech_at(self, state: ReplyState) -> float:
        if state.first_speech_at is not None:
            return state.first_speech_at
        first_text_at = state.first_text_at
        first_clause_seconds = 0.0
        if state.expected_characters is None:
            first_clause_seconds = _SHORTEST_CHARACTERS / self.rate(Rate.CHARACTERS_PER_SECOND, state.writer)
            if first_text_at is None:
                first_text_at = self.rate(Rate.FIRST_DELTA_SECONDS, state.writer)
        return (first_text_at or 0.0) + first_clause_seconds + self.rate(Rate.SPEAKING_SECONDS, state.speaker)

    def _render_rate(self, state: ReplyState, now: float) -> float:
        learned = self.rate(Rate.RENDER_SECONDS_PER_SECOND, state.avatar)
        measured_video = state.video_seconds - state.first_fragment_seconds
        if state.first_fragment_at is None or measured_video <= 0:
            return learned
        measured = (now - state.first_fragment_at) / measured_video
        # This reply's own pace counts for more the longer it has been seen.
        weight = min(1.0, measured_video / 8.0)
        return learned + weight * (measured - learned)


def likely_language(text: str) -> str:
    """What a reply to this text will likely be spoken in, well enough for an estimate."""
    ideographs = sum("\u4e00" <= character <= "\u9fff" for character in text)
    return "zh" if ideographs * 4 > len(text) else "en"


def _until(expected_at: float, now: float) -> float:
    """Seconds until something that was expected then."""
    return max(_SOON_SECONDS, expected_at - now, _LATER * (now - expected_at))


def _widened(key: str) -> tuple[str, ...]:
    """The key, then the same without its last part, and so on."""
    parts = key.split("/")
    return tuple("/".join(parts[:count]) for count in range(len(parts), 0, -1))


def _primary(language: str) -> str:
    return language.split("/", 1)[0].split("-", 1)[0].lower()
