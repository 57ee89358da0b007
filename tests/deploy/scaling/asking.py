"""Texts go in, replies come out as their clients saw them, each followed to its end at the same time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from visavis_client import Client, Event


@dataclass(frozen=True)
class Seen:
    """The events of one reply, and when each came (monotonic seconds)."""

    events: list[Event]
    times: list[float]

    def first(self, type_: str) -> float:
        """When the first event of this type came."""
        return next(at for event, at in zip(self.events, self.times, strict=True) if event.type == type_)


def asked(url: str, texts: Sequence[str]) -> list[Seen]:
    """All of them at once."""
    with ThreadPoolExecutor(len(texts)) as threads:
        return list(threads.map(lambda text: _followed(url, text), texts))


def _followed(url: str, text: str) -> Seen:
    events, times = [], []
    with Client(url) as client:
        for event in client.reply(say=text):
            events.append(event)
            times.append(time.monotonic())
    return Seen(events, times)
