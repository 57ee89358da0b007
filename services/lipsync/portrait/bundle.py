"""A portrait's bytes go in, step by step the zip of an avatar bundle (contract avatar/1) comes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from services.lipsync.cancellation import Cancellation
from services.lipsync.idle_motion import LOOP_FRAMES
from services.lipsync.portrait.face import only_face
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.framing import MARGIN_PX, Framed, framed
from services.lipsync.portrait.idle import loop_frames, placements
from services.lipsync.portrait.mouth_layers import inside_layers, lip_layers
from services.lipsync.portrait.mouth_moves import layer_moves, skin_moves
from services.lipsync.portrait.mouth_place import MouthPlace, mouth_place
from services.lipsync.portrait.packing import packed_arrays, packed_bundle, silent_files
from services.lipsync.portrait.photo import Pixels, photo_pixels
from services.lipsync.pose import CONTROLS
from services.lipsync.warped_mouth import WarpedMouth

Progress = Callable[[str, float], None]


def portrait_bundle(photo: bytes, name: str, models: FaceModels, progress: Progress) -> bytes:
    """The bundle of the one face in `photo`, a zip; the same photo and name give the same bytes.

    `progress` is told the step and the share of the work that is done; what it raises ends it.

    Raises:
        UnusablePortrait: the photo cannot become an avatar.
    """
    progress("reading", 0.0)
    pixels = photo_pixels(photo)
    progress("face", 0.02)
    picture = framed(pixels, only_face(pixels, models))
    progress("mouth", 0.03)
    mouth = mouth_place(picture.points)
    speak = mouth_file(picture, mouth)
    rested = _rested(picture, mouth, rest(speak, mouth))

    def watched() -> Iterator[Pixels]:
        for number, frame in enumerate(loop_frames(rested, mouth)):
            progress("loop", 0.05 + 0.93 * number / LOOP_FRAMES)
            yield frame

    files = {"speak.npz": speak, **silent_files(watched())}
    progress("packing", 0.99)
    placed = placements(picture, mouth)
    return packed_bundle(name, files, mouth, placed, points=picture.points, source="made from a portrait")


def mouth_file(picture: Framed, mouth: MouthPlace) -> bytes:
    """The arrays of contract warp/1 as an uncompressed .npz."""
    return packed_arrays(
        {
            "lips": lip_layers(picture, mouth),
            "inside": inside_layers(picture, mouth),
            "skin": skin_moves(mouth).astype(np.float16),
            "moves": layer_moves(mouth).astype(np.float16),
        }
    )


def rest(speak: bytes, mouth: MouthPlace) -> Pixels:
    """The mouth at rest (S, S, 3), as its own pose zero draws it."""
    drawn = WarpedMouth(speak, mouth.size_px, "The portrait").run(
        np.zeros((1, len(CONTROLS)), np.float32), Cancellation()
    )[0]
    return np.asarray(np.rint(drawn.transpose(1, 2, 0) * 255), np.uint8)


def _rested(picture: Framed, mouth: MouthPlace, shut: Pixels) -> Framed:
    """The picture with its mouth at rest."""
    pixels = picture.pixels.copy()
    top, left = mouth.top + MARGIN_PX, mouth.left + MARGIN_PX
    # Near a border part of the crop lies outside the picture.
    rows = slice(max(-top, 0), min(mouth.size_px, pixels.shape[0] - top))
    columns = slice(max(-left, 0), min(mouth.size_px, pixels.shape[1] - left))
    pixels[top + rows.start : top + rows.stop, left + columns.start : left + columns.stop] = shut[
        rows, columns
    ]
    return Framed(pixels, picture.points)
