"""The deltas of a reply go in, its utterances come out, each as soon as its end is certain.

Feeding the same text in other portions gives the same utterances. What lies between two utterances is
whitespace or cannot be spoken (code blocks, rules, lone emoji).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from services.text.cuts import Growing, next_cut
from services.text.languages import language_of
from services.text.spoken import spoken_text


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence-sized part of a reply.

    `text` is the reply's text from `offset` on (code points); `language` is a BCP 47 tag, never "auto".
    """

    index: int
    text: str = field(repr=False)
    spoken_text: str = field(repr=False)
    language: str
    offset: int


class UtteranceSplitter:
    """Cuts one reply's text. `language` is a BCP 47 tag, or "auto": found for each utterance."""

    def __init__(self, language: str = "auto") -> None:
        self._language = language
        self._rules = "en" if language == "auto" else language.partition("-")[0].lower()
        self._pending = ""
        self._offset = 0
        self._index = 0
        self._language_before = ""

    def feed(self, delta: str) -> list[Utterance]:
        """The utterances that `delta` made certain, often none."""
        self._pending += delta
        return self._cut_off(complete=False)

    def finish(self) -> list[Utterance]:
        """The rest, once no more text will come."""
        return self._cut_off(complete=True)

    def _cut_off(self, *, complete: bool) -> list[Utterance]:
        utterances = []
        while (cut := next_cut(self._growing(complete=complete))) is not None:
            utterance = self._utterance(self._pending[:cut])
            if utterance is not None:
                utterances.append(utterance)
                self._index += 1
            self._pending = self._pending[cut:]
            self._offset += cut
        return utterances

    def _growing(self, *, complete: bool) -> Growing:
        return Growing(
            text=self._pending,
            complete=complete,
            at_start=self._offset == 0,
            first=self._index == 0,
            language=self._rules,
        )

    def _utterance(self, piece: str) -> Utterance | None:
        shown = piece.strip()
        spoken = spoken_text(shown)
        if not spoken:
            return None
        language = self._language
        if language == "auto":
            language = self._language_before = language_of(spoken, self._language_before)
        return Utterance(
            index=self._index,
            text=shown,
            spoken_text=spoken,
            language=language,
            offset=self._offset + len(piece) - len(piece.lstrip()),
        )
