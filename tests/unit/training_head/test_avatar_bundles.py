"""Every shipped avatar, judged by its pixels: what serving will load and people will see."""

import hashlib
import json
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import onnxruntime  # type: ignore[import-untyped]
import pytest
from numpy.typing import NDArray

from services.lipsync.pose import CONTROLS
from services.lipsync.training.identities import IDENTITIES

AVATARS = Path(__file__).parents[3] / "services" / "lipsync" / "models" / "avatars"
LARGEST_BYTES = 7_000_000

Picture = NDArray[np.float32]


@dataclass(frozen=True)
class Bundle:
    """A shipped avatar's folder."""

    folder: Path

    @cached_property
    def manifest(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.folder / "manifest.json").read_text())
        return content

    @cached_property
    def loop(self) -> NDArray[np.uint8]:
        """(N,512,512,3) RGB, every frame."""
        with av.open(str(self.folder / "loop.mp4")) as container:
            planes = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
        return np.stack([cv2.cvtColor(plane, cv2.COLOR_YUV2RGB_I420) for plane in planes]).astype(np.uint8)

    @cached_property
    def speak(self) -> onnxruntime.InferenceSession:
        return onnxruntime.InferenceSession(str(self.folder / "speak.onnx"))

    def mouth(self, **controls: float) -> Picture:
        """(S,S,3) RGB 0..255."""
        pose = np.array([[controls.get(name, 0.0) for name in CONTROLS]], np.float32)
        (drawn,) = self.speak.run(None, {"pose": pose})
        return np.asarray(drawn[0].transpose(1, 2, 0) * 255, np.float32)

    def resting_crop(self, frame: int) -> Picture:
        """The loop's own mouth, moved back into the crop's pixels."""
        affine = np.array(self.manifest["mouth"]["placement"][frame]).reshape(2, 3)
        size = self.manifest["mouth"]["size_px"]
        back = cv2.WARP_INVERSE_MAP | cv2.INTER_CUBIC
        picture = self.loop[frame].astype(np.float32)
        return np.asarray(cv2.warpAffine(picture, affine, (size, size), flags=back), np.float32)


@cache
def opened(name: str) -> Bundle:
    return Bundle(AVATARS / name)


@pytest.fixture(params=sorted(folder.name for folder in AVATARS.iterdir() if folder.is_dir()))
def bundle(request: pytest.FixtureRequest) -> Bundle:
    return opened(request.param)


def lips(picture: Picture) -> Picture:
    """The part around the lips."""
    size = len(picture)
    return picture[size * 3 // 10 : size * 7 // 10, size // 4 : size * 3 // 4]


def dark_share(picture: Picture) -> float:
    """Share of pixels that are less than half as bright as the skin and lips around them."""
    brightness = lips(picture).max(-1)
    return float((brightness < np.median(brightness) / 2).mean())


def changed_share(picture: Picture, resting: Picture) -> float:
    """Share of pixels that lips, teeth or the inside of the mouth have come to or have left."""
    return float((np.abs(lips(picture) - lips(resting)).max(-1) > 40).mean())


def white_share(picture: Picture) -> float:
    """Share of pixels that show teeth: bright enough, and without the red of lips or skin."""
    part = lips(picture)
    return float(((part.min(-1) > 70) & (part.max(-1) - part.min(-1) < 36)).mean())


@pytest.mark.parametrize("name", ["loop", "speak", "poster"])
def test_files_are_what_the_manifest_says(bundle: Bundle, name: str) -> None:
    entry = bundle.manifest["files"][name]
    assert hashlib.sha256((bundle.folder / entry["path"]).read_bytes()).hexdigest() == entry["sha256"]


def test_the_bundle_is_small(bundle: Bundle) -> None:
    assert sum(file.stat().st_size for file in bundle.folder.iterdir()) < LARGEST_BYTES


def test_the_loop_has_the_promised_shape_and_colours(bundle: Bundle) -> None:
    with av.open(str(bundle.folder / "loop.mp4")) as container:
        (stream,) = container.streams.video
        context = stream.codec_context
        assert not container.streams.audio
        assert (stream.width, stream.height) == (512, 512)
        assert stream.average_rate == 25
        assert (context.pix_fmt, context.colorspace, context.color_range) == ("yuv420p", 6, 1)
        assert (context.color_primaries, context.color_trc) == (6, 6)
    assert len(bundle.loop) == bundle.manifest["loop_frames"] == len(bundle.manifest["mouth"]["placement"])
    assert bundle.manifest["loop_frames"] % 8 == 0


def test_the_last_frame_flows_into_the_first(bundle: Bundle) -> None:
    steps = [cv2.absdiff(after, before).mean() for before, after in pairwise(bundle.loop)]
    assert cv2.absdiff(bundle.loop[0], bundle.loop[-1]).mean() <= np.percentile(steps, 90) + 0.5


@pytest.mark.parametrize("frame", [0, 47, 101, 160, 199])
def test_the_resting_mouth_is_the_loop_s_own(bundle: Bundle, frame: int) -> None:
    difference = np.abs(bundle.mouth() - bundle.resting_crop(frame))[4:-4, 4:-4]
    assert difference.mean() < 2.0, "of 255 levels: chroma subsampling, resampling and the encoder together"
    assert np.percentile(difference, 99) < 14


def test_poses_may_come_in_any_number(bundle: Bundle) -> None:
    size = bundle.manifest["mouth"]["size_px"]
    for count in (1, 5):
        (drawn,) = bundle.speak.run(None, {"pose": np.ones((count, len(CONTROLS)), np.float32)})
        pictures = np.asarray(drawn)
        assert pictures.shape == (count, 3, size, size)
        assert 0 <= pictures.min() <= pictures.max() <= 1


def test_an_open_jaw_shows_the_inside_and_teeth(bundle: Bundle) -> None:
    wide_open = bundle.mouth(jaw=0.95, wide=0.1)
    assert changed_share(wide_open, bundle.mouth()) > 0.15
    assert white_share(wide_open) > white_share(bundle.mouth()) + 0.02


def test_a_wider_jaw_opens_further(bundle: Bundle) -> None:
    shares = [changed_share(bundle.mouth(jaw=jaw), bundle.mouth()) for jaw in (0.0, 0.5, 1.0)]
    assert shares == sorted(shares)
    assert shares[2] > shares[1] > shares[0]


def test_pressed_lips_are_closed(bundle: Bundle) -> None:
    pressed = bundle.mouth(press=1.0)
    assert dark_share(pressed) < 0.02
    assert white_share(pressed) < 0.01


def test_lip_on_teeth_shows_teeth_over_a_nearly_shut_mouth(bundle: Bundle) -> None:
    bite = bundle.mouth(lip_teeth=1.0, wide=0.1, jaw=0.04)
    assert white_share(bite) > white_share(bundle.mouth(press=1.0)) + 0.004
    rest = bundle.mouth()
    assert changed_share(bite, rest) < changed_share(bundle.mouth(jaw=0.95), rest)


def test_rounded_lips_hide_the_teeth_that_wide_ones_show(bundle: Bundle) -> None:
    assert white_share(bundle.mouth(round=1.0, jaw=0.12)) < 0.005
    assert white_share(bundle.mouth(wide=0.9, jaw=0.2, teeth=0.5)) > 0.02


def test_the_chin_follows_the_jaw(bundle: Bundle) -> None:
    below = np.abs(bundle.mouth(jaw=1.0) - bundle.mouth())[len(bundle.mouth()) * 3 // 4 :]
    assert below.mean() > 1


def test_a_shipped_avatar_is_named_by_its_folder_and_says_that_it_is_synthetic(bundle: Bundle) -> None:
    assert bundle.manifest["id"] == bundle.folder.name == IDENTITIES[bundle.folder.name].id
    assert bundle.manifest["name"] == IDENTITIES[bundle.folder.name].name
    assert bundle.manifest["synthetic"] is True
    assert bundle.manifest["licence"] == "CC0-1.0"


def test_the_edge_of_the_crop_never_moves(bundle: Bundle) -> None:
    for moved in (bundle.mouth(jaw=1.0), bundle.mouth(round=1.0), bundle.mouth(wide=1.0, teeth=1.0)):
        difference = np.abs(moved - bundle.mouth())
        assert difference[[0, -1]].max() < 0.5
        assert difference[:, [0, -1]].max() < 0.5
