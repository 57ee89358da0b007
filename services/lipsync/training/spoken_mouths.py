"""Nothing in; the poses (N,7) of a spoken sentence out: the mouths that a finished decoder is judged by.

They come out of coarticulation, as speech does, and are never trained on. Durations are typical ones
of fluent English, so that no speech engine is needed to know what to render.
"""

from services.lipsync.mel import FRAMES_PER_SECOND
from services.lipsync.training.coarticulation import pose_track
from services.lipsync.training.mouth_poses import Poses
from services.lipsync.training.visemes import Phone, PhoneSet, viseme_segments

SENTENCE = "Five wise people saw the boat move. They thought of joy."
_PHONES = "f ay v w ay z p iy p ax l s ao dh ax b ow t m uw v pau dh ey th ao t ah v jh oy"
_VOWEL_SECONDS, _CONSONANT_SECONDS = 0.13, 0.085
_EVERY = 10  # frames: neighbours look alike, and each costs seconds to render


def spoken_poses() -> Poses:
    """(9,7) every tenth frame of SENTENCE, from its first sound to its last."""
    phones: list[Phone] = []
    end = 0.0
    for name in _PHONES.split():
        start, end = end, end + (_VOWEL_SECONDS if name[0] in "aeiou" else _CONSONANT_SECONDS)
        phones.append(Phone(name, start, end))
    frames = round(end * FRAMES_PER_SECOND)
    return pose_track(viseme_segments(phones, PhoneSet.CMU), frames)[::_EVERY]
