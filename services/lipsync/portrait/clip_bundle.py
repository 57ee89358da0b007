"""A silent clip's bytes go in, step by step the zip of an avatar bundle (contract avatar/1) comes out.

The mouth is the one in the loop's first frame, warped as a photo's. At rest it is drawn into every frame of
the loop, so that nothing jumps where speech begins and ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, islice

import cv2
import numpy as np

from services.lipsync.compositor import feathered
from services.lipsync.portrait.bundle import Progress, mouth_file, rest
from services.lipsync.portrait.clip import Clip, clip_of
from services.lipsync.portrait.clip_faces import FollowedFace, followed_face
from services.lipsync.portrait.clip_loop import MOST_FORTH_FRAMES, best_stretch, forth_and_back
from services.lipsync.portrait.clip_mouth import MouthTrack, Way
from services.lipsync.portrait.face_models import FaceModels
from services.lipsync.portrait.framing import FRAME_PX, MARGIN_PX, Framed, cropped, framing, in_frame
from services.lipsync.portrait.mouth_place import mouth_place
from services.lipsync.portrait.packing import FEATHER_PX, packed_bundle, rounded, silent_files
from services.lipsync.portrait.photo import Pixels, UnusablePortrait


def clip_bundle(media_type: str, data: bytes, name: str, models: FaceModels, progress: Progress) -> bytes:
    """The bundle of the one silent face in a clip, a zip; the same clip and name give the same bytes.

    `progress` is told the step and the share of the work that is done; what it raises ends it. The clip is
    decoded twice, picture by picture: what is kept of it are the face's points and the frames of the loop.

    Raises:
        UnusablePortrait: the clip cannot become an avatar.
    """
    progress("reading", 0.0)
    clip = clip_of(data, media_type)
    face = followed_face(clip, models, lambda done: progress("face", 0.33 * done / clip.count))
    pictures = loop_pictures(clip, face)
    progress("mouth", 0.33)
    first = next(pictures)
    mouth = mouth_place(first.points)
    speak = mouth_file(first, mouth)
    shut = rest(speak, mouth)
    track = MouthTrack(first, mouth)
    ways, frames = list[Way](), list[Pixels]()
    most = min(clip.count, MOST_FORTH_FRAMES)
    for number, picture in enumerate(chain([first], pictures)):
        progress("mouth", 0.34 + 0.32 * number / most)
        ways.append(track.found(picture))
        frames.append(_with_mouth(shut, picture, ways[-1]))
    order = forth_and_back(len(frames))

    def watched() -> Iterator[Pixels]:
        for number, place in enumerate(order):
            progress("loop", 0.66 + 0.32 * number / len(order))
            yield frames[place]

    files = {"speak.npz": speak, **silent_files(watched())}
    progress("packing", 0.99)
    placed = [rounded(ways[place]) for place in order]
    return packed_bundle(name, files, mouth, placed, points=first.points, source="made from a clip")


def loop_pictures(clip: Clip, face: FollowedFace) -> Iterator[Framed]:
    """The pictures that make the loop, in one frame that the head must not leave.

    Raises:
        UnusablePortrait: it does.
    """
    way = framing(face.width_px, face.height_px, np.median(face.points, axis=0))
    points = in_frame(face.points, way)
    outside = (points < 0).any(axis=(1, 2)) | (points >= FRAME_PX).any(axis=(1, 2))
    if outside.any():
        seconds = clip.time_of(int(np.argmax(outside)))
        raise UnusablePortrait(
            f"At {seconds:.1f} s of the clip the head is far from its usual place. Send one where it stays."
        )
    stretch = best_stretch(points)
    shown = islice(clip.pictures(), stretch.start, stretch.stop)
    return (Framed(cropped(pixels, way), seen) for pixels, seen in zip(shown, points[stretch], strict=True))


def _with_mouth(shut: Pixels, picture: Framed, way: Way) -> Pixels:
    """The frame (512, 512, 3) with the mouth at rest where its own was."""
    layer = np.dstack([shut, feathered(shut.shape[:2], FEATHER_PX)])
    size = (FRAME_PX, FRAME_PX)
    placed = np.asarray(cv2.warpAffine(layer, way, size, flags=cv2.INTER_CUBIC), np.float32)
    frame = picture.pixels[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX].astype(np.float32)
    frame += (placed[..., :3] - frame) * np.clip(placed[..., 3:], 0, 1)
    return np.asarray(np.rint(frame).clip(0, 255), np.uint8)
