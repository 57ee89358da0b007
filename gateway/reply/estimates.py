"""Measurements of finished replies go in, the seconds that a running one still needs come out."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.reply.learned import Learned, Rate
from gateway.reply.reply_state import ReplyState

_SHORTEST_CHARACTERS = 40
# Silence around and between a reply's utterances, and its rest.
SILENCE_SECONDS = 0.8
_SOON_SECONDS = 0.05
# What is late by a while is likely to take about half as long again.
_LATER = 0.5
# A reply's own pace is told from as much video, and counts fully from four times as much on.
_SHORTEST_PACED_SECONDS = 1.9
_PACED_SECONDS = 7.6


@dataclass(frozen=True, slots=True)
class Eta:
    """Seconds until the face can start to speak without stalling later, and until the reply is done."""

    starts_in_seconds: float
    eta_seconds: float


class Estimates(Learned):
    """Learns from finished replies; knows nothing of any reply in particular."""

    def learn_reply(self, state: ReplyState) -> None:
        """Takes in a completed reply."""
        self._learn_text(state)
        if state.first_speech_at is not None and state.spoken_characters >= _SHORTEST_CHARACTERS:
            voiced = max(0.0, state.speech_seconds - SILENCE_SECONDS) * state.speaking_rate
            self.learn(Rate.SPEECH_SECONDS_PER_CHARACTER, state.speaker, voiced / state.spoken_characters)
        if state.first_fragment_at is None or state.first_speech_at is None:
            return
        if not state.waited_seconds:
            first = state.first_fragment_at - state.first_speech_at
            self.learn(Rate.FIRST_FRAGMENT_SECONDS, state.avatar, first)
        pace = _own_pace(state)
        if pace is not None:
            self.learn(Rate.RENDER_SECONDS_PER_SECOND, state.avatar, pace)
        if state.video_at is not None:
            self.learn(Rate.FINISH_SECONDS, "", state.video_at - state.last_fragment_at)

    def _learn_text(self, state: ReplyState) -> None:
        if state.expected_characters is not None or state.first_text_at is None or state.text_at is None:
            return
        if not state.waited_seconds:
            self.learn(Rate.FIRST_DELTA_SECONDS, state.writer, state.first_text_at)
        self.learn(Rate.REPLY_CHARACTERS, state.writer, state.characters)
        typing_seconds = state.text_at - state.first_text_at
        if state.characters >= _SHORTEST_CHARACTERS and typing_seconds > 0:
            self.learn(Rate.CHARACTERS_PER_SECOND, state.writer, state.characters / typing_seconds)

    def eta(self, state: ReplyState, now: float) -> Eta:
        """What is left at `now` seconds after the POST, of a reply that waits for nothing."""
        text_left = self._text_left(state, now)
        if not state.wants_speech:
            return Eta(0.0, text_left)
        speech_left = 0.0
        if state.speech_at is None:
            speech_left = text_left + self.rate(Rate.SPEAKING_SECONDS, state.speaker)
        if not state.wants_video:
            starts = 0.0 if state.first_speech_at is not None else until(self._first_speech_at(state), now)
            return Eta(starts, max(speech_left, starts))
        finish = self.rate(Rate.FINISH_SECONDS, "")
        if state.first_fragment_at is not None:
            return Eta(0.0, max(speech_left, self.video_seconds_left(state, now)) + finish)
        first_fragment = self.rate(Rate.FIRST_FRAGMENT_SECONDS, state.avatar)
        first_left = until(self._first_speech_at(state) + state.waited_seconds + first_fragment, now)
        eta = max(speech_left, first_left + self.video_seconds_left(state, now)) + finish
        # Slower than it plays: starting now would mean to stall later.
        return Eta(max(first_left, eta - self._speech_total(state)), eta)

    def video_seconds_left(self, state: ReplyState, now: float) -> float:
        """What a worker still has to do for the reply, not counted the way to the first fragment."""
        left = max(0.0, self._speech_total(state) - state.video_seconds)
        learned = self.rate(Rate.RENDER_SECONDS_PER_SECOND, state.avatar)
        own = _own_pace(state)
        if own is not None:
            paced = state.video_seconds - state.paced_video_seconds
            learned += min(1.0, paced / _PACED_SECONDS) * (own - learned)
        since = now - state.last_fragment_at if state.first_fragment_at is not None else 0.0
        # The next fragment is being made; late, it is likely to stay so for a while.
        return max(left * learned - since, min(left * learned, _LATER * since))

    def _text_left(self, state: ReplyState, now: float) -> float:
        if state.text_at is not None:
            return 0.0
        if state.expected_characters is not None:
            return _SOON_SECONDS
        per_second = self.rate(Rate.CHARACTERS_PER_SECOND, state.writer)
        if state.first_text_at is None:
            first_delta = self.rate(Rate.FIRST_DELTA_SECONDS, state.writer) + state.waited_seconds
            return until(first_delta, now) + self._characters_total(state) / per_second
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
        total = self._characters_total(state)
        if not total:
            return state.speech_seconds
        per_character = self.rate(Rate.SPEECH_SECONDS_PER_CHARACTER, state.speaker) / state.speaking_rate
        unspoken = max(0.0, total - state.spoken_characters)
        return state.speech_seconds + unspoken * (per_character + SILENCE_SECONDS / total)

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


def likely_language(text: str) -> str:
    """What a reply to this text will likely be spoken in, well enough for an estimate."""
    ideographs = sum("\u4e00" <= character <= "\u9fff" for character in text)
    return "zh" if ideographs * 4 > len(text) else "en"


def until(expected_at: float, now: float) -> float:
    """Seconds until something that was expected then."""
    return max(_SOON_SECONDS, expected_at - now, _LATER * (now - expected_at))


def _own_pace(state: ReplyState) -> float | None:
    """Seconds per second of video since the text was there, as far as it went."""
    if state.paced_at is None:
        return None
    seconds = state.video_seconds - state.paced_video_seconds
    if seconds < _SHORTEST_PACED_SECONDS:
        return None
    return (state.last_fragment_at - state.paced_at) / seconds
