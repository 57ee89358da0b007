"""An avatar's files and its mouth's places go in, the zip of a bundle (contract avatar/1) comes out."""

from __future__ import annotations

import hashlib
import io
import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from services.lipsync.loop_video import write_loop
from services.lipsync.manifests import Affine
from services.lipsync.portrait.face import Points
from services.lipsync.portrait.framing import FRAME_PX
from services.lipsync.portrait.mouth_place import MouthPlace
from services.lipsync.portrait.photo import Pixels
from services.lipsync.warped_mouth import CONTRACT

LICENCE = "provided by the uploader"
FEATHER_PX = 10
_CRF, _PRESET = 16, "fast"
_POSTER_QUALITY = 92
# A zip holds times: a fixed one, so that the same portrait gives the same bytes.
_TIME = (1980, 1, 1, 0, 0, 0)
_PATHS = {"loop": "loop.mp4", "speak": "speak.npz", "poster": "poster.jpg"}


def silent_files(frames: Iterable[Pixels]) -> dict[str, bytes]:
    """The idle loop and the poster, its first frame, of the loop's frames (512, 512, 3) RGB."""
    loop, first = io.BytesIO(), list[Pixels]()

    def watched() -> Iterator[Pixels]:
        for frame in frames:
            if not first:
                first.append(frame)
            yield frame

    write_loop(watched(), loop, crf=_CRF, preset=_PRESET)
    bgr = np.ascontiguousarray(first[0][..., ::-1])
    _, poster = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY])
    return {"loop.mp4": loop.getvalue(), "poster.jpg": poster.tobytes()}


def packed_arrays(arrays: dict[str, NDArray[np.uint8] | NDArray[np.float16]]) -> bytes:
    """The arrays as an uncompressed .npz."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, array in arrays.items():
            plain = io.BytesIO()
            np.save(plain, array, allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", _TIME), plain.getvalue())
    return packed.getvalue()


def packed_bundle(
    name: str,
    files: dict[str, bytes],
    mouth: MouthPlace,
    placements: Sequence[Affine],
    *,
    points: Points,
    source: str,
) -> bytes:
    """The zip. `files` are loop.mp4, speak.npz and poster.jpg; `points` (468, 2) those of the first frame."""
    low, high = points.min(axis=0), points.max(axis=0)
    manifest = {
        "id": avatar_id(name),
        "name": name,
        "version": "1.0.0",
        "contract": "avatar/1",
        "width_px": FRAME_PX,
        "height_px": FRAME_PX,
        "fps": 25,
        "loop_frames": len(placements),
        "mouth": {
            "contract": CONTRACT,
            "size_px": mouth.size_px,
            "feather_px": FEATHER_PX,
            "placement": placements,
        },
        "face_box_px": [round(float(value), 1) for value in (*low, *(high - low))],
        "files": {
            kind: {"path": path, "sha256": hashlib.sha256(files[path]).hexdigest()}
            for kind, path in _PATHS.items()
        },
        "licence": LICENCE,
        "synthetic": False,
        "source": source,
    }
    text = json.dumps(manifest, separators=(",", ":")).encode() + b"\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in {"manifest.json": text, **files}.items():
            archive.writestr(zipfile.ZipInfo(path, _TIME), data, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def avatar_id(name: str) -> str:
    """`name` as a manifest's id: small ASCII letters and digits, or its hash where none are left."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return (
        re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
        or f"portrait-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    )


def rounded(affine: NDArray[np.float64]) -> Affine:
    """A placement (2, 3) as a manifest holds it: a hundredth of a pixel is far finer than what is seen."""
    (a, b, c), (d, e, f) = affine.tolist()
    return round(a, 6), round(b, 6), round(c, 4), round(d, 6), round(e, 6), round(f, 4)
