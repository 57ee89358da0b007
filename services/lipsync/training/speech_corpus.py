"""Speakers and sentences in, a corpus of labelled speech out, and the file that keeps it."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from services.lipsync.mel import SAMPLE_RATE_HZ
from services.lipsync.training.labelled_speech import (
    LabelledSpeech,
    Speaker,
    UnlabelledText,
    waveform_from_pcm,
)
from services.lipsync.training.sentences import Sentences
from services.lipsync.training.visemes import Segment

_SHORTEST_SECONDS = 0.8
_LONGEST_SECONDS = 12.0
_TRIES_PER_SENTENCE = 20


@dataclass(frozen=True)
class CorpusPart:
    """How much of the corpus a speaker speaks, as a share of all sentences."""

    share: float
    speaker: Speaker
    sentences: Sentences


def spoken_corpus(parts: Sequence[CorpusPart], sentences: int, seed: int) -> Iterator[LabelledSpeech]:
    """Yield about that many labelled sentences; the same seed gives the same corpus.

    Raises UnlabelledText if a speaker cannot label any of 20 sentences in a row.
    """
    for number, part in enumerate(parts):
        rng = np.random.default_rng((seed, number))
        for _ in range(max(1, round(sentences * part.share))):
            yield _spoken_sentence(part, rng)


def _spoken_sentence(part: CorpusPart, rng: np.random.Generator) -> LabelledSpeech:
    refusal = "every sentence came out too short or too long"
    for _ in range(_TRIES_PER_SENTENCE):
        try:
            speech = part.speaker.labelled_speech(part.sentences(rng), rng)
        except UnlabelledText as error:
            refusal = str(error)
            continue
        if _SHORTEST_SECONDS <= speech.waveform.size / SAMPLE_RATE_HZ <= _LONGEST_SECONDS:
            return speech
    raise UnlabelledText(f"no sentence of {_TRIES_PER_SENTENCE} could be labelled; the last one: {refusal}")


def write_corpus(path: Path, corpus: Sequence[LabelledSpeech]) -> None:
    """Keep a corpus as one .npz: all samples as 16-bit PCM and the labels as JSON."""
    labels = [
        {
            "voice": speech.voice,
            "text": speech.text,
            "samples": speech.waveform.size,
            "segments": [tuple(asdict(segment).values()) for segment in speech.segments],
        }
        for speech in corpus
    ]
    pcm = np.concatenate([np.clip(speech.waveform * 32_768, -32_768, 32_767) for speech in corpus]).astype(
        np.int16
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, pcm=pcm, labels=np.array(json.dumps(labels)))


def read_corpus(path: Path) -> list[LabelledSpeech]:
    """Return the corpus kept at `path`. Raises FileNotFoundError if `write_corpus` has not been there."""
    with np.load(path) as kept:
        pcm, labels = kept["pcm"], json.loads(str(kept["labels"]))
    corpus: list[LabelledSpeech] = []
    start = 0
    for label in labels:
        end = start + label["samples"]
        waveform = waveform_from_pcm(pcm[start:end], SAMPLE_RATE_HZ)
        segments = tuple(Segment(*segment) for segment in label["segments"])
        corpus.append(LabelledSpeech(label["voice"], label["text"], waveform, segments))
        start = end
    return corpus
