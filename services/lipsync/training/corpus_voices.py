"""Flite's program in, the voices of the default corpus out, each with its share and its texts."""

from pathlib import Path

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.espeak_speaker import ENGLISH_VOICES, MANDARIN_VOICES, EspeakSpeaker
from services.lipsync.training.flite_speaker import VOICES, FliteSpeaker
from services.lipsync.training.labelling import english_labels, foreign_labels
from services.lipsync.training.pico_speaker import PicoSpeaker
from services.lipsync.training.sentences import english_sentence, mandarin_sentence, rows_of_words
from services.lipsync.training.speech_corpus import CorpusPart

_ENGLISH = ("en-US", "en-GB")
# Of each other language the vocabulary, and the voice of espeak-ng that knows how its words sound.
_FOREIGN = {
    "de-DE": ("german", "de"),
    "es-ES": ("spanish", "es"),
    "fr-FR": ("french", "fr"),
    "it-IT": ("italian", "it"),
}
# As the tts stage makes a man of Pico's American woman.
_MAN_SLOWNESS, _MAN_PITCH = 0.88, 0.70


def corpus_parts(flite_program: Path) -> tuple[CorpusPart, ...]:
    """Return the speakers of the default corpus: all voices that the tts stage ships, and Flite's."""
    aligner = PhoneAligner()
    english = english_labels(aligner)
    man = PicoSpeaker("pico-en-US-male", "en-US", english, _MAN_SLOWNESS, _MAN_PITCH)
    return (
        *(CorpusPart(0.08, FliteSpeaker(flite_program, voice), english_sentence) for voice in VOICES),
        *(
            CorpusPart(0.08, PicoSpeaker(f"pico-{language}", language, english), english_sentence)
            for language in _ENGLISH
        ),
        CorpusPart(0.10, EspeakSpeaker("espeak-en", ENGLISH_VOICES), english_sentence),
        CorpusPart(0.14, EspeakSpeaker("espeak-cmn", MANDARIN_VOICES), mandarin_sentence),
        CorpusPart(0.08, man, english_sentence),
        *(
            CorpusPart(
                0.05,
                PicoSpeaker(f"pico-{language}", language, foreign_labels(aligner, espeak_voice)),
                rows_of_words(words),
            )
            for language, (words, espeak_voice) in _FOREIGN.items()
        ),
    )
