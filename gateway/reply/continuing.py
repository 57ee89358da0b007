"""A text that broke off goes in, the question that makes a model go on comes out, and the answer's new part.

A model that answers anew does not know where the last word ended: "sh" may go on with "ines" or with a new
word. So it is asked to say the last word again, which is then left out.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.stages.text import Role

INSTRUCTION = (
    "Your last answer broke off. Repeat its last word, then go on from there to the end. "
    "Write only the rest of the answer, in the same language, without any remark."
)
# A model that repeats more than it was asked to repeats the last sentence.
_LONGEST_OVERLAP = 240
_LAST_WORD = re.compile(r"\S+\s*\Z")
_WORD = re.compile(r"\w")
# Scripts whose words are not set apart: Thai and Lao, kana, ideographs.
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


def continuation(messages: Sequence[tuple[Role, str]], text: str) -> list[tuple[Role, str]]:
    """The conversation that asks for the rest of `text`."""
    return [*messages, ("assistant", text), ("user", INSTRUCTION)]


class Joint:
    """Leaves out of an answer's beginning what `text` ends with."""

    def __init__(self, text: str) -> None:
        self._end = text[-_LONGEST_OVERLAP:]
        self._held: str | None = ""

    def feed(self, delta: str) -> str:
        """The part of the answer that is certainly new."""
        if self._held is None:
            return delta
        self._held += delta
        if len(self._held.lstrip()) <= len(self._end) and self._held.lstrip() in self._end:
            return ""
        return self.finish()

    def finish(self) -> str:
        """What was still held back."""
        held, self._held = self._held or "", None
        answer = held.lstrip()
        overlap = _overlap(self._end, answer)
        if overlap:
            return answer[overlap:].lstrip() if self._end[-1:].isspace() else answer[overlap:]
        return _space_between(self._end, held) + held


def _overlap(text: str, answer: str) -> int:
    """How much of the answer's beginning the text ends with: its last word at least, else 0."""
    last_word = _LAST_WORD.search(text)
    ended = text.rstrip()
    for length in range(min(len(ended), len(answer)), 0, -1):
        if ended.endswith(answer[:length]):
            whole = last_word is not None and length >= len(last_word[0].rstrip())
            return length if whole or _UNSPACED.match(answer) else 0
    return 0


def _space_between(text: str, answer: str) -> str:
    if not text or not _WORD.match(text[-1]) or not _WORD.match(answer):
        return ""
    return "" if _UNSPACED.match(text[-1]) or _UNSPACED.match(answer) else " "
