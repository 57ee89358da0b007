"""The shipped avatar, judged by its pixels: what serving will load and people will see."""

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray

from services.lipsync.pose import CONTROLS

BUNDLE = Path(__file__).parents[3] / "services" / "lipsync" / "models" / "avatars" / "ava"
LARGEST_BYTES = 6_000_000

Picture = NDArray[np.float32]


@cache
def manifest() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((BUNDLE / "manifest.json").read_text())
    return content


@cache
def loop() -> tuple[Picture, ...]:
    """Every frame (512,512,3) RGB 0..255."""
    with av.open(str(BUNDLE / "loop.mp4")) as container:
        planes = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    return tuple(np.asarray(cv2.cvtColor(plane, cv2.COLOR_YUV2RGB_I420), np.float32) for plane in planes)


def mouth(**controls: float) -> Picture:
    """(S,S,3) RGB 0..255."""
    session = onnxruntime.InferenceSession(str(BUNDLE / "speak.onnx"))
    pose = np.array([[controls.get(name, 0.0) for name in CONTROLS]], np.float32)
    (drawn,) = session.run(None, {"pose": pose})
    return np.asarray(drawn[0].transpose(1, 2, 0) * 255, np.float32)


def resting_crop(frame: int) -> Picture:
    """The loop's own mouth, moved back into the crop's pixels."""
    affine = np.array(manifest()["mouth"]["placement"][frame]).reshape(2, 3)
    size = manifest()["mouth"]["size_px"]
    back = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
    return np.asarray(cv2.warpAffine(loop()[frame], affine, (size, size), flags=back), np.float32)


def lips(picture: Picture) -> Picture:
    """The part around the lips."""
    size = len(picture)
    return picture[size * 3 // 10 : size * 7 // 10, size // 4 : size * 3 // 4]


def dark_share(picture: Picture) -> float:
    """Share of pixels that show the inside of the mouth."""
    return float((lips(picture).max(-1) < 90).mean())


def white_share(picture: Picture) -> float:
    """Share of pixels that show teeth: bright enough, and without the red of lips or skin."""
    part = lips(picture)
    return float(((part.min(-1) > 70) & (part.max(-1) - part.min(-1) < 28)).mean())


@pytest.mark.parametrize("name", ["loop", "speak", "poster"])
def test_files_are_what_the_manifest_says(name: str) -> None:
    entry = manifest()["files"][name]
    assert hashlib.sha256((BUNDLE / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]


def test_the_bundle_is_small() -> None:
    assert sum(file.stat().st_size for file in BUNDLE.iterdir()) < LARGEST_BYTES


def test_the_loop_has_the_promised_shape_and_colours() -> None:
    with av.open(str(BUNDLE / "loop.mp4")) as container:
        (stream,) = container.streams.video
        context = stream.codec_context
        assert not container.streams.audio
        assert (stream.width, stream.height) == (512, 512)
        assert stream.average_rate == 25
        assert (context.pix_fmt, context.colorspace, context.color_range) == ("yuv420p", 6, 1)
        assert (context.color_primaries, context.color_trc) == (6, 6)
    assert len(loop()) == manifest()["loop_frames"] == len(manifest()["mouth"]["placement"])
    assert manifest()["loop_frames"] % 8 == 0


def test_the_last_frame_flows_into_the_first() -> None:
    steps = [np.abs(after - before).mean() for before, after in zip(loop(), loop()[1:], strict=False)]
    assert np.abs(loop()[0] - loop()[-1]).mean() <= np.percentile(steps, 90) + 0.5


@pytest.mark.parametrize("frame", [0, 47, 101, 160, 199])
def test_the_resting_mouth_is_the_loop_s_own(frame: int) -> None:
    difference = np.abs(mouth() - resting_crop(frame))[4:-4, 4:-4]
    assert difference.mean() < 2.0, "of 255 levels: chroma subsampling, resampling and the encoder together"
    assert np.percentile(difference, 99) < 14


def test_poses_may_come_in_any_number() -> None:
    session = onnxruntime.InferenceSession(str(BUNDLE / "speak.onnx"))
    size = manifest()["mouth"]["size_px"]
    for count in (1, 5):
        (drawn,) = session.run(None, {"pose": np.ones((count, len(CONTROLS)), np.float32)})
        pictures = np.asarray(drawn)
        assert pictures.shape == (count, 3, size, size)
        assert 0 <= pictures.min() <= pictures.max() <= 1


def test_an_open_jaw_shows_the_inside_and_teeth() -> None:
    opened = mouth(jaw=0.95, wide=0.1)
    assert dark_share(opened) > dark_share(mouth()) + 0.04
    assert white_share(opened) > white_share(mouth()) + 0.02


def test_a_wider_jaw_opens_further() -> None:
    shares = [dark_share(mouth(jaw=jaw)) for jaw in (0.0, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[2] > shares[1] > shares[0]


def test_pressed_lips_are_closed() -> None:
    pressed = mouth(press=1.0)
    assert dark_share(pressed) < 0.02
    assert white_share(pressed) < 0.01


def test_lip_on_teeth_shows_teeth_over_a_nearly_shut_mouth() -> None:
    bite = mouth(lip_teeth=1.0, wide=0.1, jaw=0.04)
    assert white_share(bite) > white_share(mouth(press=1.0)) + 0.004
    assert dark_share(bite) < dark_share(mouth(jaw=0.95))


def test_the_chin_follows_the_jaw() -> None:
    below = np.abs(mouth(jaw=1.0) - mouth())[len(mouth()) * 3 // 4 :]
    assert below.mean() > 2


def test_the_edge_of_the_crop_never_moves() -> None:
    for moved in (mouth(jaw=1.0), mouth(round=1.0), mouth(wide=1.0, teeth=1.0)):
        difference = np.abs(moved - mouth())
        assert difference[[0, -1]].max() < 0.5
        assert difference[:, [0, -1]].max() < 0.5
