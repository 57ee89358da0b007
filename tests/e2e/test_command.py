"""`visavis say`, `ask`, `animate`, `avatar` against the real four processes: a video that opens comes out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import wave
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import av
import httpx
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.e2e.stack import Stack
from tests.fakes import clips

VISAVIS = (sys.executable, "-c", "from visavis_client.command import main; main()")
FRAME_SECONDS = 1 / 25
# Where the lips and the forehead of the clip's face come to lie: rows and columns of 512.
LIPS, FOREHEAD = np.s_[300:400, 190:330], np.s_[90:170, 190:330]

Frames: TypeAlias = NDArray[np.int16]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def visavis(folder: Path, *arguments: str, server: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "VISAVIS_SERVER"}
    if server is not None:
        environment["VISAVIS_SERVER"] = server
    return subprocess.run(
        [*VISAVIS, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def seconds_of_speaking_video(path: Path) -> float:
    """The length of an MP4 with H.264 at 25 fps and AAC of the same length, decoded to the end."""
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        assert container.streams.video[0].average_rate == 25
        frames = sum(1 for _ in container.decode(video=0))
    with av.open(str(path)) as container:
        rate = container.streams.audio[0].rate
        samples = sum(frame.samples for frame in container.decode(audio=0))
    assert samples / rate == pytest.approx(frames * FRAME_SECONDS, abs=2 * FRAME_SECONDS)
    return frames * FRAME_SECONDS


def frames_of(path: Path) -> Frames:
    """All pictures (N, 512, 512, 3)."""
    with av.open(str(path)) as container:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(
            np.int16
        )


def test_say_needs_no_server(tmp_path: Path) -> None:
    done = visavis(tmp_path, "say", "Hello there.", "-o", "hello.mp4")
    assert done.returncode == 0, done.stderr
    assert 0.5 < seconds_of_speaking_video(tmp_path / "hello.mp4") < 5
    assert [path.name for path in tmp_path.iterdir()] == ["hello.mp4"]
    shown = [int(percent) for percent in re.findall(r"(\d+)%", done.stderr)]
    assert all(earlier < later for earlier, later in pairwise(shown))


def test_ask_types_the_answer_and_films_it(stack: Stack, tmp_path: Path) -> None:
    done = visavis(tmp_path, "ask", "Tell me about the moon.", "-o", "moon.mp4", server=stack.url)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.split()) > 3
    assert seconds_of_speaking_video(tmp_path / "moon.mp4") > 1


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2)])
def test_animate_gives_the_length_of_the_speech(
    stack: Stack, tmp_path: Path, rate: int, channels: int
) -> None:
    seconds = 1.5
    tone = np.sin(2 * np.pi * 220 * np.arange(int(seconds * rate)) / rate) * 8_000
    with wave.open(str(tmp_path / "speech.wav"), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.repeat(tone.astype("<i2"), channels).tobytes())
    done = visavis(tmp_path, "animate", "speech.wav", "-o", "out.mp4", server=stack.url)
    assert done.returncode == 0, done.stderr
    # Padded to whole groups of eight frames, with a pause before and after.
    assert seconds <= seconds_of_speaking_video(tmp_path / "out.mp4") < seconds + 1.5


def test_a_clip_becomes_a_face_that_speaks(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "ada.mp4").write_bytes(clips.clip(clips.swaying(60)))
    added = visavis(tmp_path, "avatar", "add", "ada.mp4", "--name", "Ada", "--consent", server=stack.url)
    assert (added.returncode, added.stdout) == (
        0,
        "Added ada. Try: visavis say Hello --avatar ada -o hello.mp4\n",
    ), added.stderr
    shown = [int(percent) for percent in re.findall(r"(\d+)%", added.stderr)]
    assert len(shown) >= 3
    assert all(earlier < later for earlier, later in pairwise(shown))

    said = visavis(tmp_path, "say", "Hello, how are you?", "--avatar", "ada", "-o", "a.mp4", server=stack.url)
    assert said.returncode == 0, said.stderr
    assert seconds_of_speaking_video(tmp_path / "a.mp4") > 1

    with httpx.Client(base_url=stack.url) as client:
        avatar = client.get("/v1/avatars/ada").json()
        (tmp_path / "idle.mp4").write_bytes(client.get(avatar["idle_url"]).content)
    spoken = frames_of(tmp_path / "a.mp4")
    silent = frames_of(tmp_path / "idle.mp4")[: len(spoken)]
    moved = np.abs(spoken[: len(silent)] - silent)
    # It is she, in the same place of her loop, and only her mouth is another.
    assert moved[:, *FOREHEAD].mean(axis=(1, 2, 3)).max() < 3
    assert moved[:, *LIPS].mean(axis=(1, 2, 3)).max() > 4

    assert visavis(tmp_path, "avatar", "remove", "ada", server=stack.url).returncode == 0


def test_an_unknown_voice_is_one_sentence(stack: Stack, tmp_path: Path) -> None:
    done = visavis(tmp_path, "say", "Hello", "-o", "x.mp4", "--voice", "nobody", server=stack.url)
    assert done.returncode == 1
    assert "'nobody'" in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_voices_and_avatars_are_listed(stack: Stack, tmp_path: Path) -> None:
    voices, avatars = (visavis(tmp_path, what, server=stack.url) for what in ("voices", "avatars"))
    assert (voices.returncode, avatars.returncode) == (0, 0)
    assert "embedded" in voices.stdout
    assert "default" in avatars.stdout
