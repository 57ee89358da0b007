"""What a scripted server answers to a client that asks for the reply `r1`."""

from __future__ import annotations

from tests.fakes.scripted_http import Answer, sse

CREATED = Answer([b'{"id": "r1"}'], status=202, content_type="application/json")
ACCEPTED = sse(1, "accepted", reply_id="r1", starts_in_seconds=1.0, eta_seconds=2.0)
VIDEO = Answer([b"the video"], content_type="video/mp4")


def done(position: int, video_url: str | None = "/v1/replies/r1/video.mp4") -> bytes:
    return sse(position, "done", status="completed", video_url=video_url, usage={}, timings={})


def progress(position: int, fraction: float) -> bytes:
    return sse(position, "progress", stage="video", fraction=fraction, starts_in_seconds=0, eta_seconds=4.2,
               frames_done=1, frames_total=9, queue_position=0)  # fmt: skip
