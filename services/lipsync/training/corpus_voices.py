"""Flite's program in, the voices of the default corpus out, each with its share and its texts."""

from pathlib import Path

from services.lipsync.training.alignment import PhoneAligner
from services.lipsync.training.espeak_speaker import ENGLISH_VOICES, MANDARIN_VOICES, EspeakSpeaker
from services.lipsync.training.flite_speaker import VOICES, FliteSpeaker
from services.lipsync.training.pico_speaker import LANGUAGES, PicoSpeaker
from services.lipsync.training.sentences import english_sentence, mandarin_sentence
from services.lipsync.training.speech_corpus import CorpusPart


def corpus_parts(flite_program: Path) -> tuple[CorpusPart, ...]:
    """Return the speakers of the default corpus; the voices that the tts stage ships have the most to say."""
    aligner = PhoneAligner()
    return (
        *(CorpusPart(0.11, FliteSpeaker(flite_program, voice), english_sentence) for voice in VOICES),
        *(CorpusPart(0.11, PicoSpeaker(language, aligner), english_sentence) for language in LANGUAGES),
        CorpusPart(0.14, EspeakSpeaker("espeak-en", ENGLISH_VOICES), english_sentence),
        CorpusPart(0.20, EspeakSpeaker("espeak-cmn", MANDARIN_VOICES), mandarin_sentence),
    )
