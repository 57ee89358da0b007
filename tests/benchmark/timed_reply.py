"""A request goes in, the seconds at which each part of its reply reached the client come out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass

import httpx
from httpx_sse import connect_sse

FPS = 25


@dataclass(frozen=True, slots=True)
class TimedReply:
    """Seconds from the POST, as the client's clock saw them."""

    first_text_seconds: float
    first_speech_seconds: float
    first_fragment_seconds: float
    last_fragment_seconds: float
    done_seconds: float
    video_seconds: float
    worst_margin_seconds: float
    later_frames: int
    video_url: str


def timed_reply(client: httpx.Client, request: Mapping[str, object]) -> TimedReply:
    """Asks for one reply and reads it to its end.

    Raises:
        RuntimeError: the reply ended in an error.
    """
    begun = time.perf_counter()
    answer = client.post("/v1/replies", json=request)
    answer.raise_for_status()
    first: dict[str, float] = {}
    fragments: list[tuple[float, float, float]] = []
    with connect_sse(client, "GET", answer.json()["events_url"]) as source:
        for event in source.iter_sse():
            if not event.data:
                continue
            now = time.perf_counter() - begun
            first.setdefault(event.event, now)
            data = json.loads(event.data)
            if event.event == "error":
                raise RuntimeError(data["detail"])
            if event.event == "fragment":
                fragments.append((now, data["start_seconds"], data["duration_seconds"]))
    begins = fragments[0][0]
    return TimedReply(
        first_text_seconds=first["text_delta"],
        first_speech_seconds=first["utterance"],
        first_fragment_seconds=begins,
        last_fragment_seconds=fragments[-1][0],
        done_seconds=first["done"],
        video_seconds=fragments[-1][1] + fragments[-1][2],
        # The first fragment sets the clock; every later one must be there before its turn.
        worst_margin_seconds=min((begins + start - now for now, start, _ in fragments[1:]), default=0.0),
        video_url=answer.json()["video_url"],
        later_frames=round(sum(seconds for _, _, seconds in fragments[1:]) * FPS),
    )
