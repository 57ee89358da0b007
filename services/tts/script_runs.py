"""A text in two scripts goes in, its runs come out: each is Chinese or is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HAN = r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003134f]"
_MARK = r"[\u3000-\u303f\uff00-\uff20]"
# A number belongs to the Chinese beside it; a space, to what it lies within.
_CHINESE = re.compile(
    rf"(?:\d[\d.,]*(?={_HAN}))?{_HAN}(?:{_HAN}|{_MARK}|\d[\d.,]*%?(?!\s?[A-Za-z])|\s+(?={_HAN}))*"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A part of a text that one voice can read."""

    text: str
    chinese: bool


def script_runs(text: str) -> list[Run]:
    """The runs in order; joined they are the text. What has no letters and digits goes with its neighbour."""
    runs: list[Run] = []
    done = 0
    for match in _CHINESE.finditer(text):
        _append(runs, text[done : match.start()], chinese=False)
        _append(runs, match[0], chinese=True)
        done = match.end()
    _append(runs, text[done:], chinese=False)
    return runs


def _append(runs: list[Run], text: str, *, chinese: bool) -> None:
    if not runs:
        if text:
            runs.append(Run(text, chinese))
        return
    last = runs[-1]
    if not _speakable(text) or last.chinese == chinese:
        runs[-1] = Run(last.text + text, last.chinese)
    elif not _speakable(last.text):
        runs[-1] = Run(last.text + text, chinese)
    else:
        runs.append(Run(text, chinese))


def _speakable(text: str) -> bool:
    return any(character.isalnum() for character in text)
