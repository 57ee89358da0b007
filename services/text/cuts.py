"""A growing text goes in, the end of its first piece comes out, as soon as no later text can move it.

Full stops are judged by sentencex: of the light libraries it was right most often (24 of 26 tricky cases;
pysbd 21, syntok 20, blingfire 20), and it takes 1 µs a question and one character of look-ahead, so it can be
asked about a text that still grows. What it cannot know is decided here: blocks, clauses, lengths.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import sentencex

from services.text.spoken import is_han, site_name

# A place is judged by the text before it and this many characters after it, never by whatever has arrived by
# chance: that is why the pieces do not depend on how the text came in.
LOOK_AHEAD = 12
# Weight 15 is about a second of speech: a Latin letter or space weighs 1, a Chinese character 3.5.
FIRST_CLAUSE_WEIGHT = 20
# Shorter sentences ("Yes. I do.") are spoken in one breath with the next.
LEAST_WEIGHT = 12
MOST_WEIGHT = 180
_HAN_WEIGHT = 3.5
_MOST_LINK_CHARACTERS = 2_000

_STOPS = ".!?…"
_WIDE_STOPS = "。！？"
_CLAUSE_MARKS = ",;:—–"
_WIDE_CLAUSE_MARKS = "，；：、"
_CLOSERS = "\"'”’»)]}*_~`」』）】》"
_OPENERS = "\"'“‘«([{*_~`「『（【《"
_MOST_CLOSERS = 5
_MARKS = re.compile(r"[*_~`#>]")
_LINK_BEGINNINGS = ("http://", "https://", "www.")
_FENCE = re.compile(r"(`{3,}|~{3,})([^\n]*)(\n|\Z)")
_BLOCK_BEGINS = re.compile(r"\n[ \t]*(?:\n|[-*+•][ \t]|\d{1,3}[.)][ \t]|#{1,6}[ \t]|```|~~~|>|\|)")
_ONE_LINE_BLOCK = re.compile(r"[ \t]*(?:#{1,6}[ \t]|\|)")
_LIST_NUMBER = re.compile(r"[ \t]*\d{1,3}")


@dataclass(frozen=True, slots=True)
class Growing:
    """Text from the end of the last piece on, and what is known about it."""

    text: str
    # No more will come.
    complete: bool
    # The text begins the reply.
    at_start: bool
    # Nothing has been spoken yet: a clause is enough.
    first: bool
    # For the sentence rules: "en", "de", …
    language: str


def next_cut(growing: Growing) -> int | None:
    """How many characters the first piece has; None while that is open, or when there is no text left."""
    text = growing.text
    begin = len(text) - len(text.lstrip())
    if not growing.complete and len(text) < begin + LOOK_AHEAD:
        return None
    if begin == len(text):
        return begin or None
    if (growing.at_start or "\n" in text[:begin]) and text.startswith(("```", "~~~"), begin):
        opening = _FENCE.match(text, begin)
        if opening is None or not (growing.complete or opening[3]):
            return None
        if "`" not in opening[2]:
            return _fence_end(growing, opening)
    return _Sentence(growing, begin).cut()


def _fence_end(growing: Growing, opening: re.Match[str]) -> int | None:
    end = r"(?=\n|\Z)" if growing.complete else r"(?=\n)"
    closing = re.compile(rf"^[ \t]*{re.escape(opening[1])}+[ \t]*{end}", re.MULTILINE)
    found = closing.search(growing.text, opening.end())
    if found is not None:
        return found.end()
    return len(growing.text) if growing.complete else None


class _Sentence:
    """One walk over a piece that is no code block, character by character."""

    def __init__(self, growing: Growing, begin: int) -> None:
        self._growing = growing
        self._text = growing.text
        self._begin = begin
        self._weight = 0.0
        self._line_begin = begin
        # Where the piece may be cut if it gets too long.
        self._last_clause = begin
        self._last_space = begin
        # Of a link only the site's name is spoken: as many of its characters weigh something.
        self._link_end = begin
        self._heavy_until = begin

    def cut(self) -> int | None:
        """As `next_cut`."""
        for place in range(self._begin, len(self._text)):
            if not self._is_certain(place):
                return None
            self._weigh(place)
            if self._weight > MOST_WEIGHT:
                return next(cut for cut in (self._last_clause, self._last_space, place) if cut > self._begin)
            cut = self._after_space(place) if self._text[place].isspace() else self._after_mark(place)
            if cut is not None:
                return cut
        return len(self._text) if self._growing.complete else None

    def _is_certain(self, place: int) -> bool:
        return self._growing.complete or max(place, self._link_end) + LOOK_AHEAD <= len(self._text)

    def _weigh(self, place: int) -> None:
        if place >= self._link_end and self._text.startswith(_LINK_BEGINNINGS, place):
            self._link_end = min(_token_end(self._text, place), place + _MOST_LINK_CHARACTERS)
            # From the next character on: by then the link is known to its end.
            self._heavy_until = place + 1 + len(site_name(self._text[place : self._link_end]))
            return
        if place >= self._link_end or place < self._heavy_until:
            self._weight += _HAN_WEIGHT if is_han(self._text[place]) else 1

    def _after_space(self, place: int) -> int | None:
        self._last_space = place
        if self._text[place] == "\n":
            if _block_ends(self._text, self._line_begin, place):
                return place
            self._line_begin = place + 1
        return None

    def _after_mark(self, place: int) -> int | None:
        if self._weight >= LEAST_WEIGHT:
            end = _sentence_end(self._growing, self._begin, self._line_begin, place)
            if end is not None:
                return end
        end = _clause_end(self._text, place)
        if end is not None:
            if self._growing.first and self._weight >= FIRST_CLAUSE_WEIGHT:
                return end
            if self._weight >= MOST_WEIGHT / 3:
                self._last_clause = end
        return None


def _token_end(text: str, place: int) -> int:
    space = re.compile(r"\s").search(text, place)
    return space.start() if space else len(text)


def _block_ends(text: str, line_begin: int, newline: int) -> bool:
    following = text[newline : newline + LOOK_AHEAD]
    return bool(_BLOCK_BEGINS.match(following) or _ONE_LINE_BLOCK.match(text, line_begin, newline))


def _sentence_end(growing: Growing, begin: int, line_begin: int, place: int) -> int | None:
    """Where the sentence ends whose last stop is at `place`, closing quotes and marks included."""
    text = growing.text
    stop = text[place]
    if stop not in _STOPS + _WIDE_STOPS or text[place + 1 : place + 2] in tuple(_STOPS + _WIDE_STOPS):
        return None
    end = _past_closers(text, place + 1)
    following = text[end : place + LOOK_AHEAD]
    if stop in _WIDE_STOPS or not following:
        return end
    if not following[0].isspace():
        return end if stop != "…" and is_han(text[place - 1]) and is_han(following[0]) else None
    if _LIST_NUMBER.fullmatch(text, line_begin, place):
        return None
    beginning = following.lstrip().lstrip(_OPENERS)[:1]
    if not beginning:
        return end
    sentences = list(sentencex.segment(growing.language, f"{_MARKS.sub('', text[begin:end])} {beginning}"))
    return end if sentences[-1].strip() == beginning else None


def _clause_end(text: str, place: int) -> int | None:
    mark = text[place]
    if mark in _WIDE_CLAUSE_MARKS:
        return _past_closers(text, place + 1)
    if mark not in _CLAUSE_MARKS:
        return None
    end = _past_closers(text, place + 1)
    return end if text[end : end + 1].isspace() else None


def _past_closers(text: str, place: int) -> int:
    end = place
    while end < place + _MOST_CLOSERS and text[end : end + 1] in tuple(_CLOSERS):
        end += 1
    return end
