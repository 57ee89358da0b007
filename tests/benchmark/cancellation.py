"""A running reply goes in, the seconds from its DELETE until the video worker computes nothing come out."""

from __future__ import annotations

import time

import httpx
from httpx_sse import connect_sse

STORY = "This story goes on and on, and nobody knows where it will end. " * 40
GIVE_UP_SECONDS = 10.0


def cancellation_seconds(client: httpx.Client, metrics_url: str) -> float:
    """Cancels a long reply right after a fragment of it came, and watches the worker's own gauge.

    Raises:
        RuntimeError: the worker still renders after GIVE_UP_SECONDS, or never did.
    """
    answer = client.post("/v1/replies", json={"say": STORY})
    answer.raise_for_status()
    reply = answer.json()
    with connect_sse(client, "GET", reply["events_url"]) as source:
        for event in source.iter_sse():
            if event.event == "fragment":
                break
    if not _rendering(metrics_url):
        raise RuntimeError("the worker was not rendering when the reply was to be cancelled")
    begun = time.perf_counter()
    client.delete(f"/v1/replies/{reply['id']}")
    while (seconds := time.perf_counter() - begun) < GIVE_UP_SECONDS:
        if not _rendering(metrics_url):
            return seconds
    raise RuntimeError(f"the worker still renders {GIVE_UP_SECONDS:g} s after the reply was cancelled")


def _rendering(metrics_url: str) -> bool:
    for line in httpx.get(metrics_url).text.splitlines():
        if line.startswith("visavis_lipsync_rendering "):
            return float(line.split()[1]) > 0
    raise RuntimeError("the worker's metrics do not say whether it renders")
