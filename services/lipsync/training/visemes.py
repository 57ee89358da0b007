"""Phones of a speech engine in, timed visemes (mouth shapes as seen) and their seven controls out.

A viseme stands for all phones that look alike on a mouth. The pose of each is seven controls of about
0..1, in the order of `pose.CONTROLS`; the same order is the contract between audio network and avatar.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# Each row: jaw, round, wide, press, lip_teeth, teeth, tongue.
VISEMES: dict[str, tuple[float, ...]] = {
    "rest": (0.00, 0.00, 0.00, 0.00, 0.0, 0.00, 0.0),
    "pbm": (0.00, 0.05, 0.05, 1.00, 0.0, 0.00, 0.0),
    "fv": (0.04, 0.00, 0.10, 0.00, 1.0, 0.00, 0.0),
    "th": (0.24, 0.00, 0.15, 0.00, 0.0, 0.25, 1.0),
    "tdnl": (0.20, 0.00, 0.20, 0.00, 0.0, 0.35, 0.7),
    "sz": (0.10, 0.00, 0.35, 0.00, 0.0, 0.75, 0.1),
    "chsh": (0.16, 0.50, 0.00, 0.00, 0.0, 0.75, 0.0),
    "kgng": (0.28, 0.00, 0.10, 0.00, 0.0, 0.20, 0.0),
    "r": (0.20, 0.50, 0.00, 0.00, 0.0, 0.30, 0.2),
    "w": (0.03, 1.00, 0.00, 0.00, 0.0, 0.00, 0.0),
    "h": (0.36, 0.00, 0.15, 0.00, 0.0, 0.15, 0.0),
    "aa": (0.95, 0.00, 0.10, 0.00, 0.0, 0.05, 0.0),
    "ah": (0.62, 0.00, 0.10, 0.00, 0.0, 0.10, 0.0),
    "ae": (0.72, 0.00, 0.45, 0.00, 0.0, 0.20, 0.0),
    "eh": (0.52, 0.00, 0.45, 0.00, 0.0, 0.25, 0.0),
    "ih": (0.32, 0.00, 0.55, 0.00, 0.0, 0.40, 0.0),
    "iy": (0.20, 0.00, 0.90, 0.00, 0.0, 0.50, 0.1),
    "ao": (0.70, 0.55, 0.00, 0.00, 0.0, 0.00, 0.0),
    "ow": (0.45, 0.85, 0.00, 0.00, 0.0, 0.00, 0.0),
    "uw": (0.12, 1.00, 0.00, 0.00, 0.0, 0.00, 0.0),
    "uh": (0.34, 0.60, 0.00, 0.00, 0.0, 0.10, 0.0),
    "ax": (0.36, 0.05, 0.15, 0.00, 0.0, 0.20, 0.0),
}
REST = "rest"


class PhoneSet(StrEnum):
    """The alphabet in which an engine names its phones."""

    CMU = "cmu"
    IPA = "ipa"


@dataclass(frozen=True)
class Phone:
    """One phone as an engine names it."""

    name: str
    start_seconds: float
    end_seconds: float


@dataclass(frozen=True)
class Segment:
    """One viseme held over a span of speech; `viseme` is a key of `VISEMES`, m and n are `nasal`."""

    viseme: str
    start_seconds: float
    end_seconds: float
    nasal: bool = False


def viseme_pose(viseme: str) -> NDArray[np.float32]:
    """Return the (7,) controls of a viseme held for ever. Raises KeyError for an unknown one."""
    return np.array(VISEMES[viseme], np.float32)


def viseme_segments(phones: Iterable[Phone], phone_set: PhoneSet) -> tuple[Segment, ...]:
    """Return what the mouth shows while the phones sound; a diphthong becomes equal spans of its vowels.

    Raises ValueError for a CMU phone that does not exist.
    """
    return tuple(
        Segment(viseme, start, end, nasal=not _NASALS.isdisjoint(phone.name))
        for phone in phones
        for viseme, (start, end) in _spans(phone, visemes_of_phone(phone.name, phone_set))
    )


def visemes_of_phone(name: str, phone_set: PhoneSet) -> tuple[str, ...]:
    """Return the visemes shown one after the other while a phone sounds; at least one."""
    if phone_set is PhoneSet.IPA:
        return _visemes_of_ipa(name)
    if name not in _CMU:
        raise ValueError(f"no CMU phone is called {name!r}")
    return _CMU[name]


def _spans(phone: Phone, visemes: tuple[str, ...]) -> list[tuple[str, tuple[float, float]]]:
    edges = np.linspace(phone.start_seconds, phone.end_seconds, len(visemes) + 1).tolist()
    return list(zip(visemes, pairwise(edges), strict=True))


def _visemes_of_ipa(name: str) -> tuple[str, ...]:
    for spelling, letter in _ESPEAK_SPELLINGS.items():
        name = name.replace(spelling, letter)
    letters = [letter for letter in name if letter in _IPA]
    if not letters:
        return (REST,)
    # An affricate shows its friction, not the tongue tip that it starts with.
    if letters[0] in "td" and letters[1:] and _IPA[letters[1]] in ("chsh", "sz"):
        letters = letters[1:2]
    # Aspiration of a Chinese stop ("ph", "kh") is no shape of its own.
    if len(letters) > 1 and letters[-1] in "hʰ":
        letters = letters[:-1]
    return tuple(_IPA[letter] for letter in letters)


_NASALS = frozenset("mnŋɲɳɱ")

_CMU: dict[str, tuple[str, ...]] = {
    "pau": ("rest",), "sil": ("rest",),
    "p": ("pbm",), "b": ("pbm",), "m": ("pbm",), "f": ("fv",), "v": ("fv",), "th": ("th",), "dh": ("th",),
    "t": ("tdnl",), "d": ("tdnl",), "n": ("tdnl",), "l": ("tdnl",), "s": ("sz",), "z": ("sz",),
    "ch": ("chsh",), "jh": ("chsh",), "sh": ("chsh",), "zh": ("chsh",),
    "k": ("kgng",), "g": ("kgng",), "ng": ("kgng",), "hh": ("h",), "r": ("r",), "er": ("r",),
    "w": ("w",), "y": ("iy",),
    "aa": ("aa",), "ae": ("ae",), "ah": ("ah",), "ao": ("ao",), "ax": ("ax",), "eh": ("eh",),
    "ih": ("ih",), "iy": ("iy",), "uh": ("uh",), "uw": ("uw",),
    "aw": ("aa", "uw"), "ay": ("aa", "iy"), "ey": ("eh", "iy"), "ow": ("ow", "uw"), "oy": ("ao", "iy"),
}  # fmt: skip

# espeak-ng spells the sounds of Mandarin with plain letters and marks; longest first.
_ESPEAK_SPELLINGS = {"s.": "ʂ", "i.": "ɨ", "i\u032a": "ɨ", "o-": "ɤ", "ər": "ɚ", "χ": "x"}

_IPA: dict[str, str] = {
    letter: viseme
    for viseme, letters in {
        "pbm": "pbmβɓ", "fv": "fvʋɱ", "th": "θð", "tdnl": "tdnlɾɫrɲʎɭɳ", "sz": "sz",
        "chsh": "ʃʒʂɕʑʈɖ", "kgng": "kɡgŋcɟɣʔçʁ", "h": "hxɦʰ", "r": "ɹɻɚɝɜʐ", "w": "w",
        "aa": "ɑa", "ah": "ʌɐ", "ae": "æ", "eh": "ɛe", "ih": "ɪɨɯᵻ", "iy": "ijʝ",
        "ao": "ɔɒ", "ow": "oø", "uw": "uyɥʏ", "uh": "ʊœ", "ax": "əɵɤ",
    }.items()
    for letter in letters
}  # fmt: skip
