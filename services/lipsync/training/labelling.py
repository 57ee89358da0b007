"""An aligner and a language in, what finds the visemes in its speech out.

English words are in the aligner's dictionary. Any other word is taught to it: espeak-ng says of which phones
it is made, and each of them is looked for as the English one that sounds most alike. Only its time is taken
from there; what the mouth shows is that of the phone itself.
"""

import functools
import re

import numpy as np
from numpy.typing import NDArray

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.espeak_speaker import spoken_phones
from services.lipsync.training.labelled_speech import Labels, UnlabelledText
from services.lipsync.training.visemes import Phone, PhoneSet, Segment, viseme_segments


def english_labels(aligner: PhoneAligner) -> Labels:
    """Return what labels English speech."""

    def labels(waveform: NDArray[np.float32], text: str) -> tuple[Segment, ...]:
        return viseme_segments(aligner.phones(waveform, text), PhoneSet.CMU)

    return labels


def foreign_labels(aligner: PhoneAligner, espeak_voice: str) -> Labels:
    """Return what labels speech of the language that this voice of espeak-ng speaks."""

    def labels(waveform: NDArray[np.float32], text: str) -> tuple[Segment, ...]:
        words = re.findall(r"[^\W\d_]+(?:-[^\W\d_]+)*", text.lower())
        names = [f"{word}-{espeak_voice}" for word in words]
        for name, word in zip(names, words, strict=True):
            aligner.learn(name, [cmu for phone in _phones(espeak_voice, word) for cmu in _sounds_like(phone)])
        aligned = aligner.phones_of_words(waveform, names)
        timed = [
            _timed(_phones(espeak_voice, word), sounds) for word, sounds in zip(words, aligned, strict=True)
        ]
        return viseme_segments([phone for word in timed for phone in word], PhoneSet.IPA)

    return labels


@functools.cache
def _phones(espeak_voice: str, word: str) -> tuple[str, ...]:
    names = (
        _OTHER_SPELLINGS.get((espeak_voice, name.strip("ˈˌ")), name)
        for name in spoken_phones(word, espeak_voice)
    )
    return tuple(name for name in names if _sounds_like(name))


def _timed(names: tuple[str, ...], sounds: list[Phone]) -> list[Phone]:
    """Give each phone the time of the one or two English ones that it was looked for as."""
    timed: list[Phone] = []
    remaining = iter(sounds)
    for name in names:
        parts = [part for _ in _sounds_like(name) if (part := next(remaining, None)) is not None]
        if not parts:
            raise UnlabelledText("the speech does not fit the text")
        timed.append(Phone(name, parts[0].start_seconds, parts[-1].end_seconds))
    return timed


def _sounds_like(name: str) -> tuple[str, ...]:
    letters = name.strip("ˈˌ").replace("ː", "").replace("\u0303", "")
    if letters in _ENGLISH_PAIRS:
        return _ENGLISH_PAIRS[letters]
    return tuple(_ENGLISH[letter] for letter in letters if letter in _ENGLISH)


# espeak-ng writes the German vocalised r with the letter of the English one.
_OTHER_SPELLINGS = {("de", "ɜ"): "ɐ"}

_ENGLISH_PAIRS = {
    "aɪ": ("ay",), "aʊ": ("aw",), "eɪ": ("ey",), "oʊ": ("ow",), "ɔø": ("oy",), "ɔɪ": ("oy",),
    "tʃ": ("ch",), "dʒ": ("jh",), "ts": ("t", "s"), "dz": ("d", "z"), "pf": ("p", "f"),
}  # fmt: skip

_ENGLISH = {
    letter: phone
    for phone, letters in {
        "p": "p", "b": "bβ", "m": "m", "f": "f", "v": "v", "th": "θ", "dh": "ð", "t": "t", "d": "dɾr",
        "n": "nɲ", "l": "lʎɫ", "s": "s", "z": "z", "sh": "ʃɕç", "zh": "ʒ", "k": "kc", "g": "gɡɣ",
        "ng": "ŋ", "hh": "hxʁ", "r": "ɹ", "y": "jʝ", "w": "wɥ", "aa": "aɑ", "ah": "ɐʌə",
        "ae": "æ", "eh": "ɛe", "ih": "ɪᵻ", "iy": "i",
        "ao": "ɔ", "ow": "o", "uw": "uyʏ", "uh": "ʊ", "er": "œøɜɚ",
    }.items()
    for letter in letters
}  # fmt: skip
