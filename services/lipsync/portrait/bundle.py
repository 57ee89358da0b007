"""A portrait's bytes go in, step by step the zip of an avatar bundle (contract avatar/1) comes out."""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Callable, Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.cancellation import Cancellation
from services.lipsync.idle_motion import LOOP_FRAMES
from services.lipsync.loop_video import write_loop
from services.lipsync.portrait.face import only_face
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.framing import FRAME_PX, MARGIN_PX, Framed, framed
from services.lipsync.portrait.idle import loop_frames, placements
from services.lipsync.portrait.mouth_layers import inside_layers, lip_layers
from services.lipsync.portrait.mouth_moves import layer_moves, skin_moves
from services.lipsync.portrait.mouth_place import MouthPlace, mouth_place
from services.lipsync.portrait.photo import Pixels, photo_pixels
from services.lipsync.pose import CONTROLS
from services.lipsync.warped_mouth import CONTRACT, WarpedMouth

LICENCE = "provided by the uploader"
_FEATHER_PX = 10
_CRF, _PRESET = 16, "fast"
_POSTER_QUALITY = 92
# A zip holds times: a fixed one, so that the same portrait gives the same bytes.
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

Progress = Callable[[str, float], None]


def portrait_bundle(photo: bytes, name: str, models: FaceModels, progress: Progress) -> bytes:
    """The bundle of the one face in `photo`, a zip; the same photo and name give the same bytes.

    `progress` is told the step and the share that is done; what it raises ends the work.

    Raises:
        UnusablePortrait: the photo cannot become an avatar.
    """
    progress("reading the picture", 0.0)
    pixels = photo_pixels(photo)
    progress("finding the face", 0.05)
    picture = framed(pixels, only_face(pixels, models))
    progress("making the mouth", 0.1)
    mouth = mouth_place(picture.points)
    speak = mouth_file(picture, mouth)
    rested = _rested(picture, mouth, speak)
    loop, first = io.BytesIO(), list[Pixels]()

    def watched() -> Iterator[Pixels]:
        for number, frame in enumerate(loop_frames(rested, mouth)):
            if number == 0:
                first.append(frame)
            progress("making the idle loop", 0.2 + 0.75 * number / LOOP_FRAMES)
            yield frame

    write_loop(watched(), loop, crf=_CRF, preset=_PRESET)
    bgr = np.ascontiguousarray(first[0][..., ::-1])
    _, poster = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY])
    files = {"loop.mp4": loop.getvalue(), "speak.npz": speak, "poster.jpg": poster.tobytes()}
    progress("packing", 0.98)
    return _zip(files, _manifest(name, picture, mouth, files))


def mouth_file(picture: Framed, mouth: MouthPlace) -> bytes:
    """The arrays of contract warp/1 as an uncompressed .npz."""
    packed = io.BytesIO()
    arrays: dict[str, NDArray[np.uint8] | NDArray[np.float16]] = {
        "lips": lip_layers(picture, mouth),
        "inside": inside_layers(picture, mouth),
        "skin": skin_moves(mouth).astype(np.float16),
        "moves": layer_moves(mouth).astype(np.float16),
    }
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            plain = io.BytesIO()
            np.save(plain, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _ZIP_TIME), plain.getvalue())
    return packed.getvalue()


def avatar_id(name: str) -> str:
    """`name` as a manifest's id: small ASCII letters and digits, "portrait" where none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-") or "portrait"


def _rested(picture: Framed, mouth: MouthPlace, speak: bytes) -> Framed:
    """The picture with its mouth at rest, as the mouth's own pose zero draws it."""
    drawn = WarpedMouth(speak, mouth.size_px, "The portrait").run(
        np.zeros((1, len(CONTROLS)), np.float32), Cancellation()
    )[0]
    pixels = picture.pixels.copy()
    top, left = mouth.top + MARGIN_PX, mouth.left + MARGIN_PX
    # Near a border part of the crop lies outside the picture.
    rows = slice(max(-top, 0), min(mouth.size_px, pixels.shape[0] - top))
    columns = slice(max(-left, 0), min(mouth.size_px, pixels.shape[1] - left))
    shut = np.rint(drawn.transpose(1, 2, 0) * 255).astype(np.uint8)
    pixels[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop] = shut[
        rows, columns
    ]
    return Framed(pixels, picture.points)


def _manifest(name: str, picture: Framed, mouth: MouthPlace, files: dict[str, bytes]) -> bytes:
    low, high = picture.points.min(axis=0), picture.points.max(axis=0)
    paths = {"loop": "loop.mp4", "speak": "speak.npz", "poster": "poster.jpg"}
    manifest = {
        "id": avatar_id(name),
        "name": name,
        "version": "1.0.0",
        "contract": "avatar/1",
        "width_px": FRAME_PX,
        "height_px": FRAME_PX,
        "fps": 25,
        "loop_frames": LOOP_FRAMES,
        "mouth": {
            "contract": CONTRACT,
            "size_px": mouth.size_px,
            "feather_px": _FEATHER_PX,
            "placement": placements(picture, mouth),
        },
        "face_box_px": [round(float(value), 1) for value in (*low, *(high - low))],
        "files": {
            kind: {"path": path, "sha256": hashlib.sha256(files[path]).hexdigest()}
            for kind, path in paths.items()
        },
        "licence": LICENCE,
        "synthetic": False,
        "source": "made from a portrait",
    }
    return json.dumps(manifest, separators=(",", ":")).encode() + b"\n"


def _zip(files: dict[str, bytes], manifest: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in {"manifest.json": manifest, **files}.items():
            archive.writestr(zipfile.ZipInfo(path, _ZIP_TIME), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()
