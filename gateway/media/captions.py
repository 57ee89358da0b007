"""A reply's utterances go in, WebVTT captions come out, each word with its time (https://www.w3.org/TR/webvtt1/)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.reply.events import UtteranceEvent, Word


def captions(utterances: Iterable[UtteranceEvent]) -> str:
    """One cue per utterance. Words carry timestamps where they can be found in the text in order."""
    cues = [
        f"{utterance.index + 1}\n"
        f"{_time(utterance.start_seconds)} --> "
        f"{_time(utterance.start_seconds + utterance.duration_seconds)}\n"
        f"{_timed_text(utterance)}\n"
        for utterance in utterances
    ]
    return "\n".join(["WEBVTT\n", *cues])


def _timed_text(utterance: UtteranceEvent) -> str:
    text = " ".join(utterance.text.split())
    pieces: list[str] = []
    position = 0
    for word in _inside(utterance):
        found = text.find(word.text, position) if word.text else -1
        if found < 0:
            continue
        pieces.append(_escaped(text[position:found]))
        pieces.append(f"<{_time(word.start_seconds)}>")
        pieces.append(_escaped(word.text))
        position = found + len(word.text)
    return "".join(pieces) + _escaped(text[position:])


def _inside(utterance: UtteranceEvent) -> list[Word]:
    """Words whose times rise strictly between the cue's own, as WebVTT demands."""
    last = utterance.start_seconds
    end = utterance.start_seconds + utterance.duration_seconds
    words = []
    for word in utterance.words:
        if last < word.start_seconds < end:
            words.append(word)
            last = word.start_seconds
    return words


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(seconds: float) -> str:
    milliseconds = round(seconds * 1000)
    minutes, milliseconds = divmod(milliseconds, 60_000)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{milliseconds // 1000:02}.{milliseconds % 1000:03}"
