"""An identity, its pictures and its trained `speak.onnx` in, an avatar bundle (contract `avatar/1`) out."""

import hashlib
import json
from pathlib import Path

import cv2

from services.lipsync.idle_motion import LOOP_FRAMES
from services.lipsync.loop_video import write_loop
from services.lipsync.training.framing import FACE, FPS, FRAME_PX, MOUTH, MOUTH_PX
from services.lipsync.training.head_pictures import HeadPictures
from services.lipsync.training.identity import Identity
from services.lipsync.training.idle_loop import loop_frames
from services.lipsync.training.sway import placement

FEATHER_PX = 16
_POSTER_QUALITY = 92
_CRF, _PRESET = 13, "veryslow"


def write_pictures(pictures: HeadPictures, folder: Path) -> None:
    """Write `loop.mp4` and `poster.jpg`, the loop's first frame."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = list(loop_frames(pictures))
    write_loop(frames, str(folder / "loop.mp4"), crf=_CRF, preset=_PRESET)
    poster = cv2.cvtColor(frames[0], cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "poster.jpg"), poster, [cv2.IMWRITE_JPEG_QUALITY, _POSTER_QUALITY])


def write_manifest(identity: Identity, folder: Path) -> None:
    """Describe and hash the three files in `folder`. Raises FileNotFoundError if one is missing."""
    placements = [placement(frame, MOUTH).ravel().round(5).tolist() for frame in range(LOOP_FRAMES)]
    manifest = {
        "id": identity.id,
        "name": identity.name,
        "version": "1.0.0",
        "contract": "avatar/1",
        "width_px": FRAME_PX,
        "height_px": FRAME_PX,
        "fps": FPS,
        "loop_frames": LOOP_FRAMES,
        "mouth": {
            "contract": "pose/1",
            "size_px": MOUTH_PX,
            "feather_px": FEATHER_PX,
            "placement": placements,
        },
        "face_box_px": [FACE.x, FACE.y, FACE.width, FACE.height],
        "files": {name: _entry(folder, path) for name, path in _FILES.items()},
        "licence": "CC0-1.0",
        "synthetic": True,
        "source": "made by services/lipsync/training",
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, separators=(",", ":")) + "\n")


_FILES = {"loop": "loop.mp4", "speak": "speak.onnx", "poster": "poster.jpg"}


def _entry(folder: Path, path: str) -> dict[str, str]:
    return {"path": path, "sha256": hashlib.sha256((folder / path).read_bytes()).hexdigest()}
