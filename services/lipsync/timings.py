"""Steps of a render go in, the CPU seconds each took come out, for metrics and for the benchmark."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Gauge, Histogram

RENDERING = Gauge("visavis_lipsync_rendering", "Slots taken, until the compute thread has stopped")
FRAMES = Counter("visavis_lipsync_frames_total", "Frames rendered")
STEP_SECONDS = Counter("visavis_lipsync_step_seconds_total", "CPU seconds of rendering, by step", ["step"])
STOP_SECONDS = Histogram(
    "visavis_lipsync_stop_seconds",
    "Seconds from the end of a call to the end of its compute",
    buckets=(0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)


@contextmanager
def step(name: str) -> Iterator[None]:
    """Adds the CPU time that this thread spends inside the block to the step `name`."""
    begun = time.thread_time()
    try:
        yield
    finally:
        STEP_SECONDS.labels(name).inc(time.thread_time() - begun)
