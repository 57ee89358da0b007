"""Short silent clips become avatars whose mouth stays with the head; others are refused in a sentence."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from services.lipsync.avatars import Avatar, load_avatar, zip_bundle
from services.lipsync.cancellation import Cancellation
from services.lipsync.portrait.bundle_maker import bundle_maker
from services.lipsync.portrait.clip import clip_of
from services.lipsync.portrait.clip_bundle import clip_bundle, loop_pictures
from services.lipsync.portrait.clip_faces import FollowedFace
from services.lipsync.portrait.clip_loop import best_stretch, forth_and_back
from services.lipsync.portrait.clip_mouth import MouthTrack
from services.lipsync.portrait.face import Points, only_face
from services.lipsync.portrait.face_models import FaceModels, face_models
from services.lipsync.portrait.framing import Framed, cropped, framing, in_frame
from services.lipsync.portrait.mouth_place import mouth_place
from services.lipsync.portrait.photo import UnusablePortrait
from services.lipsync.pose import CONTROLS
from services.lipsync.sessions import execution_providers
from tests.fakes import clips, portraits
from tests.fakes.portraits import Pixels

WHOLE = 50


@pytest.fixture(scope="module")
def models() -> FaceModels:
    return face_models()


def square(way: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([way, (0.0, 0.0, 1.0)])


def test_the_mouth_is_found_where_the_head_has_taken_it(models: FaceModels) -> None:
    clip = clip_of(clips.clip(clips.swaying(WHOLE)), "video/mp4")
    seen = [pixels for number, pixels in enumerate(clip.pictures()) if number in (0, 8, 17, 25)]
    points = [only_face(pixels, models).points for pixels in seen]
    way = framing(384, 384, points[0])
    pictures = [Framed(cropped(one, way), in_frame(its, way)) for one, its in zip(seen, points, strict=True)]
    mouth = mouth_place(pictures[0].points)
    track = MouthTrack(pictures[0], mouth)
    far = mouth.size_px - 1
    corners = np.array([[0, far, 0, far], [0, 0, far, far], [1, 1, 1, 1]], np.float64)
    first = np.linalg.inv(square(clips.motion(0)))
    placed = square(np.array([[1.0, 0, mouth.left], [0, 1, mouth.top]]))

    for number, picture in zip((0, 8, 17, 25), pictures, strict=True):
        moved = square(way) @ square(clips.motion(number)) @ first @ np.linalg.inv(square(way)) @ placed
        errors = np.linalg.norm((track.found(picture) - moved[:2]) @ corners, axis=0)
        assert errors.max() < 0.4


def swayed(count: int, models: FaceModels) -> Points:
    """A face's points in each picture of a clip."""
    still = only_face(portraits.face(), models).points
    return np.stack([in_frame(still, clips.motion(number)) for number in range(count)])


def test_a_loop_turns_where_the_head_is_still(models: FaceModels) -> None:
    stretch = best_stretch(swayed(58, models))

    # The head of the clip turns in pictures 0, 25 and 50.
    assert stretch.stop - stretch.start >= 0.7 * 58
    assert stretch.start <= 3
    assert abs(stretch.stop - 1 - 50) <= 3


def test_forth_and_back_shows_no_picture_twice_in_a_row() -> None:
    order = forth_and_back(4)
    assert order == [0, 1, 2, 3, 2, 1]


@cache
def whole_clip() -> bytes:
    return clips.clip(clips.swaying(WHOLE))


@pytest.mark.slow
def test_a_clip_becomes_an_avatar_whose_loop_has_no_jump(models: FaceModels) -> None:
    steps: list[float] = []
    made = clip_bundle("video/mp4", whole_clip(), "Ada", models, lambda _, share: steps.append(share))
    bundle = zip_bundle(made, 64 << 20)
    avatar = load_avatar(bundle, execution_providers(["cpu"]))

    assert steps == sorted(steps)
    frames = avatar.loop.frames(Cancellation()).astype(np.int16)
    assert len(frames) == avatar.manifest.loop_frames
    steps_apart = [np.abs(one - other).mean() for one, other in zip(frames[1:], frames[:-1], strict=True)]
    assert np.abs(frames[0] - frames[-1]).mean() <= max(steps_apart)
    assert_rests_as_it_loops(avatar)


def assert_rests_as_it_loops(avatar: Avatar) -> None:
    rest = avatar.speak.run(np.zeros((1, len(CONTROLS)), np.float32), Cancellation())[0]
    for number in (0, avatar.manifest.loop_frames // 3):
        idle = avatar.frame(number).astype(np.int16)
        spoken = avatar.picture(rest, number).to_ndarray().astype(np.int16)
        assert np.abs(idle - spoken).mean() < 0.2
        assert np.percentile(np.abs(idle - spoken), 99.9) < 12


@pytest.mark.parametrize(
    ("codec", "kind", "media_type"),
    [
        ("libx264", "mp4", "video/mp4"),
        ("libx264", "mov", "video/quicktime"),
        ("libvpx-vp9", "webm", "video/webm"),
        ("mpeg4", "matroska", "video/x-matroska"),
    ],
)
def test_the_common_kinds_of_clip_are_read(codec: str, kind: str, media_type: str) -> None:
    clip = clip_of(clips.clip(clips.swaying(WHOLE), codec, kind), media_type)
    pictures = list(clip.pictures())

    assert len(pictures) == WHOLE
    assert clip.seconds == pytest.approx(2, abs=0.05)
    assert pictures[0].shape == (384, 384, 3)
    for number in (0, WHOLE - 1):
        truth = clips.moved(number, portraits.face())
        assert np.abs(pictures[number].astype(int) - truth).mean() < 6


@pytest.mark.parametrize(("fps", "count", "taken"), [(30, 60, 60), (60, 120, 60), (50, 101, 51)])
def test_of_fast_clips_every_second_picture_is_taken(fps: int, count: int, taken: int) -> None:
    clip = clip_of(clips.clip(clips.swaying(count), fps=fps), "video/mp4")
    assert len(list(clip.pictures())) == clip.count == taken


def test_a_clip_filmed_with_the_camera_on_its_side_is_turned_upright() -> None:
    lying = clips.clip(np.rot90(pixels).copy() for pixels in clips.swaying(WHOLE))
    # What a telephone does: tkhd's matrix (ISO/IEC 14496-12, 8.3.2) says to turn by a quarter, clockwise.
    plain, quarter = (struct.pack(">9i", *matrix) for matrix in (PLAIN, QUARTER))
    track = lying.index(b"tkhd")
    turned = lying[:track] + lying[track:].replace(plain, quarter, 1)
    picture = next(clip_of(turned, "video/mp4").pictures())
    assert np.abs(picture.astype(int) - clips.moved(0, portraits.face())).mean() < 6


PLAIN = (1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
QUARTER = (0, 1 << 16, 0, -1 << 16, 0, 0, 384 << 16, 0, 1 << 30)


def spoken() -> Iterator[Pixels]:
    """A loop of Ava's while she speaks: her mouth opens for a third of a second."""
    avatar = shipped()
    poses = np.zeros((WHOLE, len(CONTROLS)), np.float32)
    poses[20:28, CONTROLS.index("jaw")] = 0.6
    for number, pose in enumerate(poses):
        mouth = avatar.speak.run(pose[None], Cancellation())[0]
        yield np.asarray(avatar.picture(mouth, number).to_ndarray(format="rgb24"), np.uint8)


def shipped() -> Avatar:
    from services.lipsync.avatars import folder_bundle
    from services.lipsync.settings import LipsyncSettings

    folder: Path = LipsyncSettings().models_dir / "avatars" / "ava"
    return load_avatar(folder_bundle(folder), execution_providers(["cpu"]))


def leaving() -> Iterator[Pixels]:
    return (np.roll(pixels, number * 8, axis=1) for number, pixels in enumerate(clips.swaying(WHOLE)))


def emptied() -> Iterator[Pixels]:
    for number, pixels in enumerate(clips.swaying(WHOLE)):
        yield pixels if number != 5 else np.full_like(pixels, 128)


def small() -> Iterator[Pixels]:
    return (np.ascontiguousarray(pixels[::3, ::3]) for pixels in clips.swaying(WHOLE))


@pytest.mark.parametrize(
    ("pictures", "words"),
    [
        (spoken, r"At (0\.[89]|1\.[01]) s of the clip the mouth moves"),
        (emptied, r"At 0\.2 s of the clip: No face was found"),
        (leaving, r"At 0\.\d s of the clip: The face is cut off"),
        (small, r"At 0\.0 s of the clip: The face is only \d+ pixels wide"),
        (
            lambda: [np.hstack([p, p]) for p in clips.swaying(WHOLE)],
            r"At 0\.0 s of the clip: There are 2 faces",
        ),
    ],
    ids=["speaks", "gone for a moment", "leaves", "small", "two"],
)
def test_a_face_that_cannot_be_followed_is_refused_with_the_time(
    pictures: Callable[[], Iterator[Pixels]], words: str, models: FaceModels
) -> None:
    with pytest.raises(UnusablePortrait, match=words):
        clip_bundle("video/mp4", clips.clip(pictures()), "Ada", models, lambda _, __: None)


def test_a_head_that_wanders_off_is_refused_with_the_time(models: FaceModels) -> None:
    points = swayed(WHOLE, models)
    points[20:, :, 0] += 90
    points[40:, :, 0] += 150
    with pytest.raises(UnusablePortrait, match=r"At 1\.6 s of the clip the head is far from its usual place"):
        loop_pictures(clip_of(whole_clip(), "video/mp4"), FollowedFace(points, 800, 384))


def grey(count: int, width: int = 64, height: int = 64) -> Iterator[Pixels]:
    return (np.full((height, width, 3), 128, np.uint8) for _ in range(count))


def without_pictures() -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=48_000)
        frame = av.AudioFrame.from_ndarray(np.zeros((2, 1024), np.float32), format="fltp", layout="stereo")
        frame.sample_rate = 48_000
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: clips.clip(grey(260)), r"lasts 10\.4 s, it must last 2 to 10 s"),
        (lambda: clips.clip(grey(30)), r"lasts 1\.2 s, it must last 2 to 10 s"),
        (lambda: clips.clip(grey(1)), "holds one picture"),
        (lambda: clips.clip(grey(50), fps=12), "12 pictures a second, 20 to 240"),
        (lambda: clips.clip(grey(2, 2880, 1620)), "2880x1620 pixels, 2560x1440 are allowed"),
        (lambda: clips.clip(grey(50, 48, 48)), "only 48x48 pixels"),
        (lambda: clips.clip(grey(50), "mpeg2video"), "codec, mpeg2video, is not served"),
        (lambda: b"I am a text", "cannot be read"),
        (lambda: whole_clip()[:9_000], "cannot be read"),
        (lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "cannot be read"),
        (without_pictures, "cannot be read"),
    ],
    ids=["long", "short", "one", "slow", "huge", "tiny", "codec", "text", "half", "playlist", "sound only"],
)
def test_a_file_that_is_no_short_clip_is_refused_in_a_sentence(data: Callable[[], bytes], words: str) -> None:
    with pytest.raises(UnusablePortrait, match=words):
        clip_of(data(), "video/mp4")


def test_a_clip_whose_pictures_are_damaged_is_refused() -> None:
    broken = bytearray(clips.clip(clips.swaying(WHOLE)))
    start = broken.index(b"mdat") + 2_000
    broken[start : start + 60_000] = bytes(60_000)
    with pytest.raises(UnusablePortrait, match="clip"):
        clip_bundle("video/mp4", bytes(broken), "Ada", face_models(), lambda _, __: None)


def test_a_clip_whose_first_picture_was_cut_away_is_refused() -> None:
    whole, rest = io.BytesIO(clips.clip(clips.swaying(WHOLE + 10))), io.BytesIO()
    with av.open(whole, "r") as source, av.open(rest, "w", format="mp4") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        packets = [packet for packet in source.demux(video=0) if packet.dts is not None]
        for packet in packets[8:]:
            packet.stream = stream
            target.mux(packet)
    clip = clip_of(rest.getvalue(), "video/mp4")
    with pytest.raises(UnusablePortrait, match="damaged"):
        list(clip.pictures())


def test_uploads_are_refused_before_they_come() -> None:
    bundle_maker("image/png", 1000)
    bundle_maker("video/webm", 1000)
    with pytest.raises(UnusablePortrait, match="JPEG, PNG or WebP image, or a short MP4"):
        bundle_maker("image/tiff", 1000)
    with pytest.raises(UnusablePortrait, match="portrait may have 16 MiB at most"):
        bundle_maker("image/png", 17 << 20)
    with pytest.raises(UnusablePortrait, match="clip may have 48 MiB at most"):
        bundle_maker("video/mp4", 49 << 20)
