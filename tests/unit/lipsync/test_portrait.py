"""Photos become mouths that open, close and round, as the face mesh itself sees them; others are refused."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from services.lipsync.cancellation import Cancellation, Cancelled
from services.lipsync.manifests import ModelError
from services.lipsync.portrait.bundle import mouth_file
from services.lipsync.portrait.face import CHIN, LEFT_CORNER, RIGHT_CORNER, Points, only_face
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.framing import MARGIN_PX, framed
from services.lipsync.portrait.lids import Lids
from services.lipsync.portrait.mouth_place import MouthPlace, mouth_place
from services.lipsync.portrait.packing import avatar_id
from services.lipsync.portrait.photo import UnusablePortrait, photo_pixels
from services.lipsync.pose import CONTROLS
from services.lipsync.warped_mouth import WarpedMouth
from tests.fakes import portraits


@pytest.fixture(scope="module")
def models() -> FaceModels:
    return FaceModels()


@dataclass(frozen=True)
class Talker:
    """A portrait's mouth, drawn into its picture and looked at by the face mesh."""

    pixels: NDArray[np.uint8]
    place: MouthPlace
    mouth: WarpedMouth
    models: FaceModels

    def drawn(self, **pose: float) -> NDArray[np.float32]:
        batch = np.array([[pose.get(name, 0.0) for name in CONTROLS]], np.float32)
        drawn: NDArray[np.float32] = self.mouth.run(batch, Cancellation())[0]
        return drawn

    def seen(self, **pose: float) -> Points:
        picture = self.pixels.copy()
        top, left, size = self.place.top + MARGIN_PX, self.place.left + MARGIN_PX, self.place.size_px
        picture[top : top + size, left : left + size] = np.rint(self.drawn(**pose).transpose(1, 2, 0) * 255)
        return only_face(picture, self.models).points

    def gap(self, **pose: float) -> float:
        points = self.seen(**pose)
        return float(points[14, 1] - points[13, 1]) / self.place.width_px

    def width(self, **pose: float) -> float:
        points = self.seen(**pose)
        return float(points[RIGHT_CORNER, 0] - points[LEFT_CORNER, 0]) / self.place.width_px


def talker(pixels: NDArray[np.uint8], models: FaceModels) -> Talker:
    picture = framed(pixels, only_face(pixels, models))
    place = mouth_place(picture.points)
    mouth = WarpedMouth(mouth_file(picture, place), place.size_px, "The portrait")
    return Talker(picture.pixels, place, mouth, models)


@pytest.fixture(scope="module")
def ava(models: FaceModels) -> Talker:
    return talker(portraits.face(), models)


def test_pressed_lips_are_shut_and_a_dropped_jaw_opens_them(ava: Talker) -> None:
    assert ava.gap() < 0.06
    assert ava.gap(press=1) < 0.06
    assert 0.08 < ava.gap(jaw=0.4) < ava.gap(jaw=0.8)
    assert ava.gap(jaw=0.8) > 0.2


def test_the_chin_goes_down_with_the_jaw(ava: Talker) -> None:
    assert ava.seen(jaw=0.8)[CHIN, 1] - ava.seen()[CHIN, 1] > 0.08 * ava.place.width_px


def test_rounding_narrows_the_mouth_and_spreading_widens_it(ava: Talker) -> None:
    assert ava.width(round=1) < 0.96 * ava.width()
    assert ava.width(wide=1) > 1.02 * ava.width()


@pytest.mark.parametrize("photo", [portraits.bearded(), portraits.darker(), portraits.turned(10)])
def test_other_faces_speak_too(photo: NDArray[np.uint8], models: FaceModels) -> None:
    other = talker(photo, models)
    assert other.gap() < 0.07
    assert other.gap(jaw=0.8) > 0.12


def test_at_rest_a_closed_mouth_is_the_photo_itself(ava: Talker) -> None:
    top, left, size = ava.place.top + MARGIN_PX, ava.place.left + MARGIN_PX, ava.place.size_px
    photo = ava.pixels[top : top + size, left : left + size].astype(np.float64)
    difference = np.abs(ava.drawn().transpose(1, 2, 0) * 255 - photo)
    assert difference.mean() < 1


def test_nothing_moves_at_the_crops_edge(ava: Talker) -> None:
    wild = ava.drawn(jaw=1, round=1, teeth=1, tongue=1)
    change = np.abs(wild - ava.drawn()) * 255
    for edge in (change[:, :4], change[:, -4:], change[:, :, :4], change[:, :, -4:]):
        assert edge.max() <= 2


def test_a_cancelled_mouth_stops_drawing(ava: Talker) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(Cancelled):
        ava.mouth.run(np.zeros((1, len(CONTROLS)), np.float32), cancellation)


def test_shut_lids_hide_the_eyes_and_nothing_else(models: FaceModels) -> None:
    picture = framed(portraits.face(), only_face(portraits.face(), models))
    lids = Lids(picture)
    for upper, lower in ((159, 145), (386, 374)):
        column, row = ((picture.points[upper] + picture.points[lower]) / 2 + MARGIN_PX).astype(int)
        opened, shut = (
            pixels[row - 3 : row + 4, column - 3 : column + 4].mean()
            for pixels in (lids.shut(0), lids.shut(1))
        )
        assert shut > opened + 60
    below = int(picture.points[1, 1]) + MARGIN_PX
    assert (lids.shut(1)[below:] == picture.pixels[below:]).all()


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        (np.full((300, 300, 3), 200, np.uint8), "No face was found"),
        (np.hstack([portraits.face(), portraits.face()]), "There are 2 faces"),
        (portraits.face()[::4, ::4], r"only \d+ pixels wide, 80 are needed"),
        (portraits.turned(30), "tilted by 30 degrees"),
        (portraits.face()[:320], "cut off at the picture's edge"),
        (portraits.covered_mouth(), "The mouth cannot be seen"),
    ],
    ids=["nobody", "two", "small", "tilted", "cut off", "masked"],
)
def test_a_photo_that_cannot_be_used_is_refused_in_a_sentence(
    photo: NDArray[np.uint8], words: str, models: FaceModels
) -> None:
    with pytest.raises(UnusablePortrait, match=words):
        only_face(photo, models)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_the_common_kinds_of_image_are_read(kind: str) -> None:
    pixels = photo_pixels(portraits.encoded(portraits.face(), kind))
    assert np.abs(pixels.astype(int) - portraits.face()).mean() < 3


def test_a_photo_is_turned_upright_as_its_exif_says() -> None:
    lying = np.rot90(portraits.face())
    assert (photo_pixels(portraits.encoded(lying, exif_orientation=6)) == portraits.face()).all()


def animated() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("RGB", (64, 64), colour) for colour in ("red", "green")]
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


def endless() -> bytes:
    file = io.BytesIO()
    Image.new("1", (10_000, 10_000)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello, I am a text", "not a JPEG, PNG or WebP"),
        (portraits.encoded(portraits.face(), "GIF"), "not a JPEG, PNG or WebP"),
        (portraits.encoded(portraits.face())[:20_000], "damaged"),
        (portraits.encoded(portraits.face(), "JPEG")[:9_000], "damaged"),
        (animated(), "animated"),
        (endless(), "100 megapixels, 50 are allowed"),
    ],
    ids=["text", "gif", "half a png", "half a jpeg", "animated", "huge"],
)
def test_a_file_that_is_no_photo_is_refused_in_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(UnusablePortrait, match=words):
        photo_pixels(data)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04 no zip", b"\x93NUMPY"])
def test_a_mouth_file_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(ModelError, match=r"not an uncompressed \.npz"):
        WarpedMouth(data, 64, "Avatar ada: speak.npz")


def test_a_mouth_file_of_another_size_is_refused(models: FaceModels) -> None:
    picture = framed(portraits.face(), only_face(portraits.face(), models))
    place = mouth_place(picture.points)
    with pytest.raises(ModelError, match=r"arrays of warp/1 for 64 px"):
        WarpedMouth(mouth_file(picture, place), 64, "Avatar ada: speak.npz")


def test_names_become_ids() -> None:
    assert avatar_id("Ada Lovelace") == "ada-lovelace"
    assert avatar_id("José 2") == "jose-2"
    assert avatar_id("小明").startswith("portrait-")
    assert avatar_id("小明") != avatar_id("小红")
