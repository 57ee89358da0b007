"""Single measurements go in, what to expect next time comes out.

Every rate is learned per key (a provider's model, a language as a provider's voice speaks it, an avatar, a
stage) and falls back to what wider keys showed, then all keys together, and before that to a seed measured
with the embedded defaults on two cores.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

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
    # Once the text is there: a model that still writes may take the same cores.
    RENDER_SECONDS_PER_SECOND = "render_seconds_per_second"
    # From the last fragment to the finished movie.
    FINISH_SECONDS = "finish_seconds"
    # From out of reach to serving.
    START_SECONDS = "start_seconds"


_SEEDS: dict[Rate, float] = {
    Rate.FIRST_DELTA_SECONDS: 0.3,
    Rate.CHARACTERS_PER_SECOND: 200.0,
    Rate.REPLY_CHARACTERS: 150.0,
    Rate.SPEECH_SECONDS_PER_CHARACTER: 0.066,
    Rate.SPEAKING_SECONDS: 0.06,
    Rate.FIRST_FRAGMENT_SECONDS: 0.1,
    Rate.RENDER_SECONDS_PER_SECOND: 0.12,
    Rate.FINISH_SECONDS: 0.05,
    Rate.START_SECONDS: 8.0,
}
# Weight of the newest reply. How busy machines are changes from one reply to the next, what is written and
# how it is said does not.
_NEWEST = 0.5
_NEWEST_OF_CONTENT = 0.25
_CONTENT = frozenset({Rate.REPLY_CHARACTERS, Rate.SPEECH_SECONDS_PER_CHARACTER})
# A Chinese, Japanese or Korean character is a syllable or more.
_SYLLABIC_SECONDS_PER_CHARACTER = 0.23
_SYLLABIC = frozenset({"zh", "cmn", "yue", "ja", "ko"})

Known: TypeAlias = tuple[Rate, str]


class Learned:
    """Moving averages."""

    def __init__(self, learned: Mapping[Known, float] | None = None) -> None:
        self._learned = dict(learned or {})
        self._news: deque[tuple[Known, float]] = deque(maxlen=MAX_LEARNED)

    @property
    def learned(self) -> Mapping[Known, float]:
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
        """Takes in one measurement."""
        for known in dict.fromkeys((rate, wider) for wider in (*_widened(key), _ANY)):
            self._news.append((known, value))
            self._take(known, value)
        while len(self._learned) > MAX_LEARNED:
            del self._learned[next(iter(self._learned))]

    def take_news(self) -> list[tuple[Known, float]]:
        """What was learned since this was asked last, value by value."""
        news = list(self._news)
        self._news.clear()
        return news

    def know(self, learned: Mapping[Known, float]) -> None:
        """Takes what others learned too in place of what was learned here, but for news not yet told."""
        self._learned = dict(learned)
        for known, value in self._news:
            self._take(known, value)

    def _take(self, known: Known, value: float) -> None:
        # Taken out and put in at the end: what nobody asks for any more comes first, and goes first.
        old = self._learned.pop(known, None)
        self._learned[known] = value if old is None else old + weight(known[0]) * (value - old)


def weight(rate: Rate) -> float:
    """How much the newest measurement counts, against all before it."""
    return _NEWEST_OF_CONTENT if rate in _CONTENT else _NEWEST


def _widened(key: str) -> tuple[str, ...]:
    """The key, then the same without its last part, and so on."""
    parts = key.split("/")
    return tuple("/".join(parts[:count]) for count in range(len(parts), 0, -1))


def _primary(language: str) -> str:
    return language.split("/", 1)[0].split("-", 1)[0].lower()
