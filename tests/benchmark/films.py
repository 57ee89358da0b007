"""Sentences and faces go in, three MP4s in build/films and a Markdown table of their figures come out.

Run it with `python -m tests.benchmark.films [--portrait photo.jpg]`: a shipped avatar in English, one in
Chinese, and a portrait; without a photo, the portrait is a shipped avatar's poster, put in as if it were one.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import httpx
from visavis_client import Client

from services.lipsync.settings import LipsyncSettings
from tests.benchmark.machine import load_line, machine_line
from tests.benchmark.timed_reply import TimedReply, timed_reply
from tests.e2e.stack import Stack

FOLDER = Path("build/films")
ENGLISH = (
    "Hello there. I am a face that speaks as soon as it knows what to say. Pop, map, five, who would move?"
)
CHINESE = "你好，很高兴认识你。月亮是地球唯一的天然卫星，它总是以同一面对着我们。"
PORTRAIT = "This picture was a photograph a moment ago. Now it tells you so by itself, with lips that close."
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Figures:
    """What can be measured on a finished film."""

    seconds: float
    size_bytes: int
    fps: float
    offset_milliseconds: float
    synthetic: bool

    @property
    def kilobits_per_second(self) -> float:
        """Picture, sound and container."""
        return self.size_bytes * 8 / 1000 / self.seconds


def main() -> None:
    """Starts the stack, makes the films one after the other, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    poster = LipsyncSettings().models_dir / "avatars" / "amara" / "poster.jpg"
    parser.add_argument("--portrait", type=Path, default=poster, help="a photo of one face, from the front")
    portrait = parser.parse_args().portrait
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        stack = Stack(Path(folder))
        try:
            stack.start_all()
            with Client(stack.url) as client:
                client.add_avatar(portrait, "portrait", consent=True)
            rows = [
                made(stack, "ava-english", {"say": ENGLISH, "avatar": "ava"}),
                made(stack, "ben-chinese", {"say": CHINESE, "avatar": "ben", "language": "zh"}),
                made(stack, "portrait-english", {"say": PORTRAIT, "avatar": "portrait"}),
            ]
        finally:
            stack.stop()
    print(f"# Three films\n\n{machine_line()}. {load_line()} A/V offset: how much later the sound ends.\n")
    print(
        "| film | seconds | kB | kbit/s | fps | A/V offset | first fragment | CPU-s per s | marked |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|---|"
    )
    print("\n".join(rows))


def made(stack: Stack, name: str, request: Mapping[str, object]) -> str:
    """A row of the table; the film is in FOLDER. CPU seconds are those of all four processes."""
    with httpx.Client(base_url=stack.url, timeout=300) as client:
        timed_reply(client, {**request, "say": "Hello."})
        before = cpu_seconds(stack)
        timing = timed_reply(client, request)
        spent = cpu_seconds(stack) - before
        film = client.get(timing.video_url).raise_for_status().content
    path = FOLDER / f"{name}.mp4"
    path.write_bytes(film)
    return row(path, figures(path), timing, spent)


def row(path: Path, seen: Figures, timing: TimedReply, cpu: float) -> str:
    """In Markdown."""
    cells = (
        path,
        f"{seen.seconds:.2f}",
        f"{seen.size_bytes / 1000:.0f}",
        f"{seen.kilobits_per_second:.0f}",
        f"{seen.fps:.2f}",
        f"{seen.offset_milliseconds:+.1f} ms",
        f"{timing.first_fragment_seconds:.2f} s",
        f"{cpu / seen.seconds:.2f}",
        "yes" if seen.synthetic else "NO",
    )
    return f"| {' | '.join(map(str, cells))} |"


def figures(path: Path) -> Figures:
    """Read from the file's packets and metadata."""
    with av.open(path, "r") as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        ends, frames = {video.index: 0.0, audio.index: 0.0}, 0
        for packet in container.demux(video, audio):
            if packet.pts is not None and packet.duration is not None:
                end = float((packet.pts + packet.duration) * packet.time_base)
                ends[packet.stream.index] = max(ends[packet.stream.index], end)
                frames += packet.stream.index == video.index
        picture, sound = ends[video.index], ends[audio.index]
        synthetic = "Synthetic media" in container.metadata.get("comment", "")
    return Figures(picture, path.stat().st_size, frames / picture, (sound - picture) * 1000, synthetic)


def cpu_seconds(stack: Stack) -> float:
    """Of the gateway and the three services, since they began."""
    ticks = 0
    for process in stack.processes.values():
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / TICKS_PER_SECOND


if __name__ == "__main__":
    main()
