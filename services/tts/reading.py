"""A written text and rules go in, the text as it is to be read comes out, with what each part stands for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from services.tts.providers import Timing

# What is to be said instead of a match; None leaves it as it is.
Said: TypeAlias = str | Callable[[re.Match[str]], str | None]
Rule: TypeAlias = tuple[re.Pattern[str], Said]

_IDEOGRAPH = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Reading:
    """`origins`: for every character of `spoken`, the index in `written` of the part that it stands for."""

    written: str
    spoken: str
    origins: Sequence[int]

    def written_words(self, timings: Sequence[Timing]) -> list[Timing]:
        """Words as timed in `spoken`, each as it is written; what is written as one word becomes one."""
        words: list[tuple[int, Timing]] = []
        for start, timing in self._starts(timings):
            if words and self._continues(words[-1][0], start):
                first, begun = words[-1]
                words[-1] = (first, Timing("", begun.start_seconds, timing.end_seconds))
            else:
                words.append((start if words else 0, timing))
        if not words:
            return []
        ends = [*(start for start, _ in words[1:]), len(self.written)]
        return [
            Timing(self.written[start:end].strip(), timing.start_seconds, timing.end_seconds)
            for (start, timing), end in zip(words, ends, strict=True)
        ]

    def _starts(self, timings: Sequence[Timing]) -> Iterator[tuple[int, Timing]]:
        """Where each word begins in `written`."""
        place = 0
        for timing in timings:
            begin: int | None = None
            for part in timing.text.split():
                found = self.spoken.find(part, place)
                if found >= 0:
                    begin = found if begin is None else begin
                    place = found + len(part)
            if begin is not None:
                yield self.origins[begin], timing

    def _continues(self, before: int, start: int) -> bool:
        """Whether no new written word begins at `start`: it is one at a space or at a Chinese character."""
        if start <= before:
            return True
        border = self.written[start - 1 : start + 1]
        return not (border[0].isspace() or border[1].isspace() or _IDEOGRAPH.search(border))


def reading(written: str, rules: Sequence[Rule]) -> Reading:
    """The text with every rule applied in turn."""
    spoken, origins = written, list(range(len(written)))
    for pattern, said in rules:
        spoken, origins = _applied(spoken, origins, pattern, said)
    return Reading(written, spoken, origins)


def _applied(
    spoken: str, origins: Sequence[int], pattern: re.Pattern[str], said: Said
) -> tuple[str, list[int]]:
    pieces, places, done = [], list[int](), 0
    for match in pattern.finditer(spoken):
        instead = match.expand(said) if isinstance(said, str) else said(match)
        if instead is None or match.start() == match.end():
            continue
        pieces += [spoken[done : match.start()], instead]
        places += [*origins[done : match.start()], *[origins[match.start()]] * len(instead)]
        done = match.end()
    return "".join([*pieces, spoken[done:]]), [*places, *origins[done:]]
